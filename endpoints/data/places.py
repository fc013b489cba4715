"""Where data is: a path inside a datastore, or a file on the web."""

import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISDIR
from typing import IO
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError

from endpoints.models import Datastore
from studio.core import file_names
from studio.core.errors import NotFound
from studio.storage import globs
from studio.storage.store import (
    NO_SUCH_PLACE,
    PARTIAL,
    Readable,
    Root,
    State,
    StoreAway,
    open_root,
    place_for,
)

LONGEST_KEY = 1024  # bytes; of S3 and Azure Blob
LONGEST_PATH = 4096  # bytes; of a file system


class PathError(ValidationError):
    """A path that leaves its datastore, or is not a valid path."""


@dataclass(frozen=True)
class Entry:
    """A file below a location; `path` is relative to the datastore."""

    path: str
    size: int
    state: State | None = None  # set if the file was examined


@dataclass(frozen=True)
class Location:
    """A checked path on a datastore: relative, without `..`, not through symbolic links."""

    datastore: str
    root: Root
    path: str

    def __str__(self) -> str:
        return f"{self.datastore}/{self.path}"

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    @property
    def local(self) -> Path | None:
        return None if self.root.local is None else self.root.local / self.path

    def child(self, path: str) -> "Location":
        """Another path on the same datastore, checked."""
        return _locate(self.datastore, self.root, relative_path(path))

    def found(self, path: str) -> "Location":
        """Another path on the same datastore, as the file system named it: names are allowed that
        users may not choose."""
        return _locate(self.datastore, self.root, path)

    def find(self, path: str) -> "Location":
        """The location that an address names: an existing file with any name, else a valid path."""
        if not file_names.is_plain(path) or file_names.BROKEN.search(path):
            parts = [part for part in path.split("/") if part not in ("", ".")]
            if ".." not in parts and "\0" not in path:
                for text in ("/".join(parts), file_names.of_address("/".join(parts))):
                    if (place := self.found(text)).exists():
                        return place
        return self.child(path)

    @property
    def has_usable_name(self) -> bool:
        """Whether its store can hold the name: a file system takes any bytes, other stores UTF-8
        and less of it."""
        if self.local is None:
            return file_names.is_text(self.path) and len(self.path.encode()) <= LONGEST_KEY
        return len(os.fsencode(self.local)) < LONGEST_PATH

    def exists(self) -> bool:
        return self._type() is not None

    def is_folder(self) -> bool:
        return self._type() == "directory"

    def _type(self) -> str | None:
        """The type of what is there, or None. Unlike fsspec's own checks it raises if the store
        does not answer, which must not look like an empty folder."""
        try:
            if self.local is not None:
                return "directory" if S_ISDIR(self.local.stat().st_mode) else "file"
            return str(self.root.fs.info(self.root.at(self.path))["type"])
        except FileNotFoundError:
            self._require_root()
            return None
        except OSError as error:
            if error.errno not in NO_SUCH_PLACE:
                raise
            return None

    def _require_root(self) -> None:
        folder = self.root.local
        if self.root.is_given and folder is not None and not folder.is_dir():
            raise StoreAway(
                f"Datastore {self.datastore} cannot be reached: there is no folder {folder}."
            )

    def _make_folder(self, file: Path) -> None:
        """Only below the root: where a share belongs, nothing of it may be stored on this machine."""
        self._require_root()
        file.parent.mkdir(parents=True, exist_ok=True)

    def is_there(self) -> bool:
        """Whether the path exists or, as a pattern, matches a file."""
        if self.exists():
            return True
        return globs.has_wildcard(self.path) and any(True for _ in self.matching())

    def open(self) -> IO[bytes]:
        try:
            return (
                self.local.open("rb") if self.local else self.root.fs.open(self.root.at(self.path))
            )
        except (FileNotFoundError, IsADirectoryError) as error:
            raise NotFound(f"There is no file {self}.") from error

    def write(self, stream: Readable) -> int:
        """Replace the file atomically: readers see the old or the new content. Returns its size."""
        with place_for(self.path):
            return self._write(stream)

    def _write(self, stream: Readable) -> int:
        if self.local is None:
            self.root.fs.makedirs(self.root.at(str(PurePosixPath(self.path).parent)), exist_ok=True)
            with self.root.fs.open(self.root.at(self.path), "wb") as target:
                shutil.copyfileobj(stream, target, 1 << 20)
            return int(self.root.fs.size(self.root.at(self.path)))
        self._make_folder(self.local)
        partial = self.local.with_name(f".{uuid4().hex}.partial")
        try:
            with partial.open("wb") as target:
                shutil.copyfileobj(stream, target, 1 << 20)
            partial.replace(self.local)
        finally:
            partial.unlink(missing_ok=True)
        return self.local.stat().st_size

    def move_to(self, target: "Location") -> None:
        """Move the file to `target` on the same datastore atomically; FileNotFoundError if it does
        not exist."""
        with place_for(target.path):
            self._move_to(target)

    def _move_to(self, target: "Location") -> None:
        if self.local is None or target.local is None:
            fs, source, copy = self.root.fs, self.root.at(self.path), self.root.at(target.path)
            fs.makedirs(self.root.at(str(PurePosixPath(target.path).parent)), exist_ok=True)
            fs.cp_file(source, copy)
            if fs.size(copy) != fs.size(source):  # some stores copy in the background
                raise OSError(f"{target} is not there yet.")
            fs.rm_file(source)
            return
        self._make_folder(target.local)
        try:
            self.local.replace(target.local)
        except OSError as error:
            if error.errno != errno.EXDEV:  # the folder may be on another disk
                raise
            with self.open() as stream:
                target.write(stream)
            self.local.unlink()

    def remove(self) -> None:
        """Remove a file, or a folder with its contents. Nothing happens if it does not exist."""
        self.root.remove(self.path)

    def state(self) -> State:
        """The state of the file; FileNotFoundError if there is none."""
        return self.root.state(self.path)

    def files(self, *, recursive: bool = True) -> Iterator[Entry]:
        """All files at or below this location, ordered by path; only the folder's own files if not
        `recursive`."""
        if self.local is None or self.root.local is None:
            yield from self._remote_files(None if recursive else 1)
        elif self.local.is_file():
            yield _entry(self.path, State.of_local(self.local.stat()))
        else:
            for folder, folders, files in os.walk(self.local):
                folders[:] = sorted(folders) if recursive else []
                for name in sorted(files):
                    file = Path(folder, name)
                    if not file.is_symlink() and not PARTIAL.fullmatch(name):
                        relative = file.relative_to(self.root.local).as_posix()
                        yield _entry(relative, State.of_local(file.stat()))

    def _remote_files(self, depth: int | None) -> Iterator[Entry]:
        found = self.root.fs.find(self.root.at(self.path), maxdepth=depth, detail=True)
        for path, detail in sorted(found.items()):
            yield _entry(path[len(self.root.path) :].lstrip("/"), State.of_remote(detail))

    def listing(self, limit: int = 1000) -> list[Entry]:
        """A folder as a page shows it: its folders (path ends in `/`) and files, at most
        `limit`."""
        if not self.is_folder():
            raise NotFound(f"There is no folder {self}.")
        if self.local is not None:
            rows = [
                (entry.name, entry.is_dir(), entry.stat().st_size)
                for entry in os.scandir(self.local)
                if not entry.is_symlink() and not PARTIAL.fullmatch(entry.name)
            ]
        else:
            rows = [
                (
                    row["name"].rstrip("/").rpartition("/")[2],
                    row["type"] == "directory",
                    row["size"] or 0,
                )
                for row in self.root.fs.ls(self.root.at(self.path), detail=True)
            ]
        prefix = f"{self.path}/" if self.path else ""
        rows.sort(key=lambda row: (not row[1], row[0]))
        return [
            Entry(f"{prefix}{name}{'/' if folder else ''}", 0 if folder else size)
            for name, folder, size in rows[:limit]
        ]

    @property
    def is_pattern(self) -> bool:
        return globs.has_wildcard(self.path) and not self.exists()

    def matching(self) -> Iterator["Location"]:
        """The files that match `path` as a pattern."""
        base = fixed_part(self.path)
        for entry in self.child(base).files():
            if matches(entry.path, [self.path]):
                yield self.found(entry.path)


def _entry(path: str, state: State) -> Entry:
    return Entry(path, state.size, state)


@dataclass(frozen=True)
class WebFile:
    """A file behind an http(s) address."""

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        last = unquote(PurePosixPath(urlsplit(self.url).path).name)
        return (
            last
            if last and last not in (".", "..") and "/" not in last and "\0" not in last
            else "data"
        )


Place = Location | WebFile


def root_of(datastore: Datastore) -> Root:
    """The root of a datastore's files: its URL, else a folder of the studio's storage."""
    if datastore.url:
        return open_root(datastore.url, is_given=True)
    return open_root(
        f"{settings.STUDIO_STORAGE_URL.rstrip('/')}/datastores/{datastore.workspace.uuid}/{datastore.name}"
    )


def resolve(datastore: Datastore, path: str) -> Location:
    """Turns a path from a user into a Location; there is no other way."""
    return _locate(datastore.name, root_of(datastore), relative_path(path))


def find(datastore: Datastore, path: str) -> Location:
    """The location that an address names, which includes files of steps whose names users may not
    choose."""
    return Location(datastore.name, root_of(datastore), "").find(path)


def _locate(name: str, root: Root, path: str) -> Location:
    if root.local is not None:
        top = root.local.resolve()
        # Resolving follows links, so a path that ends up elsewhere went through one.
        if (top / path).resolve() != top / path:
            raise PathError(f"{name}/{path} goes through a symbolic link.")
        root = root if top == root.local else open_root(f"file://{top}", is_given=root.is_given)
    return Location(name, root, path)


def relative_path(path: str) -> str:
    """The path without `.` and extra slashes, or PathError. A leading slash is the datastore's
    root."""
    if not isinstance(path, str):
        raise PathError("A path must be a text.")
    if re.match(r"[A-Za-z]:", path):
        raise PathError(f"The path {path!r} is absolute; paths are relative to their datastore.")
    if "\\" in path or "\0" in path or "://" in path or len(path) > 1000:
        raise PathError(f"The path {path[:100]!r} is not one a datastore can hold.")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise PathError(f"The path {path!r} leaves its datastore.")
    return "/".join(parts)


def fixed_part(pattern: str) -> str:
    """The folders of a pattern before its first wildcard."""
    parts = pattern.split("/")
    fixed = []
    for part in parts[:-1]:
        if globs.has_wildcard(part):
            break
        fixed.append(part)
    return "/".join(fixed)


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern matches the path: `*` within a folder, `**` across folders."""
    return any(globs.compiled(pattern).match(path) for pattern in patterns)

"""Where data is: a path inside a datastore, or a file on the web."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit

from endpoints.models import Datastore
from studio.core import file_names
from studio.core.errors import NotFound
from studio.storage import globs
from studio.storage.failures import place_for
from studio.storage.paths import PathError, relative_path
from studio.storage.store import Readable, State, Store, open_store, studio_store

LONGEST_KEY = 1024  # bytes; of S3 and Azure Blob
LONGEST_PATH = 4096  # bytes; of a file system


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
    store: Store
    path: str

    def __str__(self) -> str:
        return f"{self.datastore}/{self.path}"

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    @property
    def local(self) -> Path | None:
        return self.store.local_path(self.path)

    def child(self, path: str) -> "Location":
        """Another path on the same datastore, checked."""
        return _locate(self.datastore, self.store, path_on_datastore(path))

    def found(self, path: str) -> "Location":
        """Another path on the same datastore, as the file system named it: names are allowed that
        users may not choose."""
        return _locate(self.datastore, self.store, path)

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
        return self.store.kind(self.path) is not None

    def is_folder(self) -> bool:
        return self.store.kind(self.path) == "directory"

    def is_there(self) -> bool:
        """Whether the path exists or, as a pattern, matches a file."""
        if self.exists():
            return True
        return globs.has_wildcard(self.path) and any(True for _ in self.matching())

    def open(self) -> IO[bytes]:
        try:
            return self.store.open(self.path)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise NotFound(f"There is no file {self}.") from error

    def write(self, stream: Readable) -> int:
        """Replace the file atomically: readers see the old or the new content. Returns its size."""
        with place_for(self.path):
            return self.store.write(self.path, stream)

    def move_to(self, target: "Location") -> None:
        """Move the file to `target` on the same datastore atomically; FileNotFoundError if it does
        not exist."""
        with place_for(target.path):
            self.store.move(self.path, target.path)

    def remove(self) -> None:
        """Remove the file. Nothing happens if it does not exist."""
        self.store.remove(self.path)

    def state(self) -> State:
        """The state of the file; FileNotFoundError if there is none."""
        return self.store.state(self.path)

    def files(self, *, recursive: bool = True) -> Iterator[Entry]:
        """All files at or below this location, in a stable order; only the folder's own files if
        not `recursive`."""
        for path, state in self.store.files(self.path, recursive=recursive):
            yield Entry(path, state.size, state)

    def listing(self, limit: int = 1000) -> list[Entry]:
        """A folder as a page shows it: its folders (path ends in `/`) and files, at most
        `limit`."""
        if not self.is_folder():
            raise NotFound(f"There is no folder {self}.")
        prefix = f"{self.path}/" if self.path else ""
        rows = sorted(self.store.listing(self.path), key=lambda row: (not row[1], row[0]))
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


def store_of(datastore: Datastore) -> Store:
    """Where a datastore's files are: at its URL, else in a folder of the studio's storage."""
    if datastore.url:
        return open_store(datastore.url, given_as=f"Datastore {datastore.name}")
    return studio_store().below(f"datastores/{datastore.workspace.uuid}/{datastore.name}")


def resolve(datastore: Datastore, path: str) -> Location:
    """Turns a path from a user into a Location; there is no other way."""
    return _locate(datastore.name, store_of(datastore), path_on_datastore(path))


def find(datastore: Datastore, path: str) -> Location:
    """The location that an address names, which includes files of steps whose names users may not
    choose."""
    return Location(datastore.name, store_of(datastore), "").find(path)


def _locate(name: str, store: Store, path: str) -> Location:
    if store.folder is not None:
        top = store.folder.resolve()
        # Resolving follows links, so a path that ends up elsewhere went through one.
        if (top / path).resolve() != top / path:
            raise PathError(f"{name}/{path} goes through a symbolic link.")
        if top != store.folder:
            store = open_store(f"file://{top}", given_as=store.given_as)
    return Location(name, store, path)


def path_on_datastore(path: object) -> str:
    """`relative_path` as people write it for a datastore, where a leading slash, or nothing, is the
    top."""
    if not isinstance(path, str):
        raise PathError("A path must be a text.")
    shown = file_names.shown(path[:100])
    if re.match(r"[A-Za-z]:", path):
        raise PathError(f"The path {shown!r} is absolute; paths are relative to their datastore.")
    below = path.lstrip("/")
    try:
        if "://" not in path:
            return relative_path(below) if PurePosixPath(below).parts else ""
    except PathError:
        if ".." in PurePosixPath(below).parts:
            raise PathError(f"The path {shown!r} leaves its datastore.") from None
    raise PathError(f"The path {shown!r} is not one a datastore can hold.")


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

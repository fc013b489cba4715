"""Stores files in a local folder or in any storage that fsspec supports, behind one class."""

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from operator import attrgetter
from pathlib import Path, PurePosixPath
from stat import S_ISDIR
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Protocol
from uuid import uuid4

import fsspec
from django.conf import settings

from studio.core.errors import Conflict
from studio.storage.failures import NO_SUCH_PLACE, StoreAway

CHUNK = 1 << 20
IN_MEMORY = 8 * CHUNK
PARTIAL = re.compile(r"\.[0-9a-f]{32}\.partial")  # a file that is still being written
FICLONE = 0x40049409  # Linux: two files share blocks until one of them is written


class Readable(Protocol):
    """Content to be stored: a file, or a request body that is read as it arrives."""

    def read(self, size: int = -1, /) -> bytes: ...


@contextmanager
def joined(before: Iterator[bytes], behind: Readable) -> Iterator[IO[bytes]]:
    """Both streams as one temporary file. It is complete before it is used, because it may be written to the
    file that `before` reads."""
    with SpooledTemporaryFile(max_size=IN_MEMORY) as whole:
        whole.writelines(before)
        shutil.copyfileobj(behind, whole, CHUNK)
        whole.seek(0)
        yield whole


@dataclass(frozen=True)
class State:
    """The state of a file; `version` changes with its content."""

    size: int
    modified: datetime
    version: str

    @classmethod
    def of_local(cls, found: os.stat_result) -> "State":
        modified = datetime.fromtimestamp(found.st_mtime, UTC)
        return cls(found.st_size, modified, f"{found.st_size}-{found.st_mtime_ns}")

    @classmethod
    def of_remote(cls, detail: Mapping[str, Any]) -> "State":
        """From fsspec's details of a file; each store names the time differently."""
        size = int(detail.get("size") or 0)
        known = (detail.get(key) for key in ("LastModified", "last_modified", "mtime", "created"))
        modified = next(filter(None, known), 0)
        if not isinstance(modified, datetime):
            modified = datetime.fromtimestamp(float(modified), UTC)
        tag = detail.get("ETag") or detail.get("etag") or modified.timestamp()
        return cls(size, modified.astimezone(UTC), f"{size}-{tag}")


@dataclass(frozen=True)
class Store:
    """Files below an fsspec URL, by relative names, which callers must have checked. Local folders are
    accessed directly, because fsspec is slower.

    `given_as`: the name in messages of a storage that an administrator configured. Its folder must exist,
    whereas our own folders are created at the first write."""

    url: str
    given_as: str = ""

    @cached_property
    def folder(self) -> Path | None:
        """The local folder; None for other storages."""
        if self.url.startswith("file://"):
            return Path(self.url.removeprefix("file://"))
        return None if "://" in self.url else Path(self.url)

    @cached_property
    def _opened(self) -> tuple[fsspec.AbstractFileSystem, str]:
        # Other processes write too, so listings are not cached.
        fs, path = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        return fs, path.rstrip("/")

    @property
    def _fs(self) -> fsspec.AbstractFileSystem:
        return self._opened[0]

    def _at(self, name: str) -> str:
        """The file's name in `_fs`."""
        return f"{self._opened[1]}/{name}" if name else self._opened[1]

    def local_path(self, name: str) -> Path | None:
        """The file's path in the local folder."""
        return None if self.folder is None else self.folder / name

    def below(self, name: str) -> "Store":
        return open_store(f"{self.url.rstrip('/')}/{name}")

    # --- listing ----------------------------------------------------------------------------------
    def kind(self, name: str) -> str | None:
        """`file`, `directory` or None. Unlike fsspec's own checks, it raises if the storage does not respond
        or is not mounted, since that must not look like an empty folder."""
        try:
            if (place := self.local_path(name)) is not None:
                return "directory" if S_ISDIR(_stat(place).st_mode) else "file"
            return str(self._fs.info(self._at(name))["type"])
        except FileNotFoundError:
            self._require_folder()
            return None

    def state(self, name: str) -> State:
        """FileNotFoundError if there is no such file."""
        if (place := self.local_path(name)) is not None:
            found = _stat(place)
            if not S_ISDIR(found.st_mode):
                return State.of_local(found)
        else:
            detail = self._fs.info(self._at(name), refresh=True)
            if detail["type"] != "directory":
                return State.of_remote(detail)
        raise FileNotFoundError(name)

    def listing(self, name: str) -> list[tuple[str, bool, int]]:
        """The entries of a folder: name, whether it is a folder, and size. FileNotFoundError if there is no
        such folder."""
        if (place := self.local_path(name)) is not None:
            with os.scandir(place) as entries:
                return [
                    (entry.name, entry.is_dir(), entry.stat().st_size)
                    for entry in entries
                    if not entry.is_symlink() and not PARTIAL.fullmatch(entry.name)
                ]
        rows = self._fs.ls(self._at(name), detail=True)
        return [
            (PurePosixPath(row["name"]).name, row["type"] == "directory", row["size"] or 0)
            for row in rows
        ]

    def names(self, folder: str = "") -> Iterator[str]:
        """The names of all files below a folder; none if it does not exist."""
        if self.folder is not None:
            return (name for name, _ in self._walk(folder))
        return (self._name(path) for path in self._fs.find(self._at(folder)))

    def files(self, name: str = "", *, recursive: bool = True) -> Iterator[tuple[str, State]]:
        """The file, or all files below the folder, with their states. If not `recursive`, only the files
        directly in the folder."""
        if (place := self.local_path(name)) is None:
            depth = None if recursive else 1
            found = self._fs.find(self._at(name), maxdepth=depth, detail=True)
            for path, detail in sorted(found.items()):
                yield self._name(path), State.of_remote(detail)
        elif place.is_file():
            yield name, State.of_local(place.stat())
        else:
            for path, entry in self._walk(name, recursive=recursive):
                with suppress(FileNotFoundError):  # removed meanwhile
                    yield path, State.of_local(entry.stat())

    def _name(self, path: str) -> str:
        return path[len(self._at("")) :].lstrip("/")

    def _walk(
        self, folder: str, *, recursive: bool = True, partial: bool = False
    ) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
        """The files of a local folder in a stable order, without symbolic links: the complete ones, or with
        `partial` those that are still being written."""
        waiting = [folder]
        while waiting:
            above = waiting.pop()
            try:
                with os.scandir(f"{self.folder}/{above}") as found:
                    entries = sorted(found, key=attrgetter("name"))
            except OSError:
                continue
            folders = []
            for entry in entries:
                name = f"{above}/{entry.name}" if above else entry.name
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                elif not entry.is_symlink() and partial == bool(PARTIAL.fullmatch(entry.name)):
                    yield name, entry
            if recursive:
                waiting += reversed(folders)

    # --- reading ----------------------------------------------------------------------------------
    def open(self, name: str) -> IO[bytes]:
        """A readable, seekable stream; FileNotFoundError if there is no such file."""
        place = self.local_path(name)
        return self._fs.open(self._at(name), "rb") if place is None else place.open("rb")

    def stream(self, name: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        with self.open(name) as stream:
            stream.seek(start)
            left = None if end is None else end - start
            while left is None or left > 0:
                data = stream.read(CHUNK if left is None else min(CHUNK, left))
                if not data:
                    return
                left = None if left is None else left - len(data)
                yield data

    def copy_out(self, name: str, target: Path | str, *, mode: int = 0o666) -> None:
        """Copy a file to a local path outside the store; shares blocks if the file system supports that."""
        copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            if self.folder is None:
                with self.open(name) as stored, open(copy, "wb", closefd=False) as file:
                    shutil.copyfileobj(stored, file, CHUNK)
            else:
                source = os.open(f"{self.folder}/{name}", os.O_RDONLY)
                try:
                    _copy(source, copy)
                finally:
                    os.close(source)
        finally:
            os.close(copy)

    # --- writing ----------------------------------------------------------------------------------
    def _require_folder(self) -> None:
        if self.given_as and self.folder is not None and not self.folder.is_dir():
            raise StoreAway(f"{self.given_as} cannot be reached: there is no folder {self.folder}.")

    def _make_folders(self, place: Path) -> None:
        """Make the folders above a file. Not if a share is not mounted: its files would end up on the local
        disk."""
        self._require_folder()
        place.parent.mkdir(parents=True, exist_ok=True)

    def _created(self, place: Path) -> IO[bytes]:
        try:
            return place.open("wb")
        except FileNotFoundError:
            self._make_folders(place)
            return place.open("wb")

    def create(self, name: str) -> IO[bytes]:
        """Open a file for writing; creates its folders. Readers may see it before it is complete."""
        if (place := self.local_path(name)) is not None:
            return self._created(place)
        self._fs.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)
        file: IO[bytes] = self._fs.open(self._at(name), "wb")
        return file

    def write(
        self,
        name: str,
        stream: Readable,
        *,
        writing: AbstractContextManager[None] | None = None,
    ) -> int:
        """Store a stream and return its size; readers see either the old or the new content. The context
        `writing` is entered after the whole stream was read; it may refuse the write."""
        if (place := self.local_path(name)) is not None:
            partial = place.with_name(f".{uuid4().hex}.partial")
            try:
                with self._created(partial) as file:
                    shutil.copyfileobj(stream, file, CHUNK)
                with writing or nullcontext():
                    partial.replace(place)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
        elif writing is not None:
            with joined(iter(()), stream) as whole:
                with writing:
                    pass  # a remote storage must not keep the database waiting
                return self.write(name, whole)
        else:
            with self.create(name) as file:
                shutil.copyfileobj(stream, file, CHUNK)
        return self.state(name).size

    def append(
        self,
        name: str,
        stream: Readable,
        *,
        at: int | None,
        writing: AbstractContextManager[None] | None = None,
    ) -> int:
        """Append a stream to a file and return its new size; if `at` is given, the file must have that size.
        Storages that are not local cannot append, so the whole file is written again. The context
        `writing` may refuse the write."""
        if (place := self.local_path(name)) is None:
            end = self.state(name).size if at is None else at
            with joined(self.stream(name, end=end), stream) as whole:
                return self.write(name, whole, writing=writing)
        with writing or nullcontext(), place.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            end = file.seek(0, os.SEEK_END)
            if at not in (None, end):
                raise Conflict("Somebody else has just appended to this file.")
            try:
                shutil.copyfileobj(stream, file, CHUNK)
                file.flush()
            except BaseException:
                file.truncate(end)  # after an error such as a full disk, remove the partial data
                raise
            return file.tell()

    def write_bytes(self, name: str, data: bytes) -> None:
        """Store a few bytes, with as few calls as possible."""
        if (place := self.local_path(name)) is None:
            self._fs.pipe_file(self._at(name), data)
        else:
            with self._created(place) as file:
                file.write(data)

    def copy_in(
        self, source: Path, name: str, *, writing: AbstractContextManager[None] | None = None
    ) -> int:
        """Store a copy of a local file; returns its size. For `writing` see `write`."""
        if writing is not None:
            with source.open("rb") as stream:
                return self.write(name, stream, writing=writing)
        if (place := self.local_path(name)) is None:
            self._fs.put_file(str(source), self._at(name))
        else:
            self._make_folders(place)
            shutil.copyfile(source, place)
        return source.stat().st_size

    def move(self, name: str, to: str) -> None:
        """Move a file; readers of `to` see the old or the new content. FileNotFoundError if it does
        not exist."""
        source, target = self.local_path(name), self.local_path(to)
        if source is None or target is None:
            self._fs.makedirs(self._at(to).rpartition("/")[0], exist_ok=True)
            self._fs.cp_file(self._at(name), self._at(to))
            if self._fs.size(self._at(to)) != self._fs.size(self._at(name)):
                raise OSError(f"{to} is not complete yet.")  # some storages copy in the background
            self._fs.rm_file(self._at(name))
            return
        self._make_folders(target)
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:  # a folder may be on another disk
                raise
            with source.open("rb") as stream:
                self.write(to, stream)
            source.unlink()

    # --- removing ---------------------------------------------------------------------------------
    def remove(self, *names: str) -> None:
        """Remove the files that exist."""
        for name in names:
            with suppress(FileNotFoundError, NotADirectoryError):
                if (place := self.local_path(name)) is not None:
                    place.unlink()
                else:
                    self._fs.rm_file(self._at(name))  # `rm` would read names as patterns

    def remove_folder(self, folder: str, *, sparing: Collection[str] = ()) -> None:
        """Remove the files below a folder, except those in `sparing`, and then empty folders."""
        self.remove(*(set(self.names(folder)) - set(sparing)))
        self.remove_partials(folder, before=datetime.now(UTC))
        self.remove_empty_folders(folder)

    def remove_partials(self, folder: str, *, before: datetime) -> None:
        """Remove partial files below a folder that were last written before that time. They exist only in
        local folders."""
        if self.folder is not None:
            for name, entry in self._walk(folder, partial=True):
                with suppress(FileNotFoundError):
                    if entry.stat().st_mtime < before.timestamp():
                        self.remove(name)

    def remove_empty_folders(self, folder: str = "", *, before: datetime | None = None) -> None:
        """Remove empty folders at and below this one, except the store's own folder. With `before`, only
        those unchanged since then, because a new folder may be about to get its first file. Only local
        storages have empty folders."""
        if self.folder is not None:
            for found, _, _ in os.walk(self.folder / folder, topdown=False):
                place = Path(found)
                with suppress(OSError):  # not empty
                    is_old = before is None or place.stat().st_mtime < before.timestamp()
                    if is_old and place != self.folder:
                        place.rmdir()


@lru_cache(maxsize=256)
def open_store(url: str, *, given_as: str = "") -> Store:
    return Store(url, given_as)


def studio_store() -> Store:
    """The studio's own storage. We choose the names in it: uuids and checked paths."""
    return open_store(settings.STUDIO_STORAGE_URL)


def _stat(place: Path) -> os.stat_result:
    try:
        return place.stat()
    except OSError as error:
        if error.errno not in NO_SUCH_PLACE:
            raise
        raise FileNotFoundError(str(place)) from error


# Devices that cannot share blocks. Trying again for each file would cost more than copying it.
_no_sharing: set[int] = set()


def _copy(source: int, copy: int) -> None:
    device = os.fstat(copy).st_dev
    if device not in _no_sharing:
        try:
            fcntl.ioctl(copy, FICLONE, source)
        except OSError:
            _no_sharing.add(device)
        else:
            return
    with suppress(OSError):  # if it fails, the loop below continues or raises the error
        while os.sendfile(copy, source, None, 1 << 30):
            pass
        return
    while data := os.read(source, CHUNK):
        while data:
            data = data[os.write(copy, data) :]

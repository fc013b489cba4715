"""Files in the studio's storage, below one fsspec URL. Their names are ours: uuids and checked paths."""

import fcntl
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError

from studio.core import file_names
from studio.core.errors import Conflict
from studio.storage.store import PARTIAL, Readable, Root, State, open_root

CHUNK_BYTES = 1024 * 1024
IN_MEMORY = 8 * CHUNK_BYTES
CONTROL = frozenset(map(chr, [*range(32), 127]))  # characters that no address may contain
LONGEST_NAME = 255  # bytes; what file systems allow between two slashes


def storage_root() -> Root:
    return open_root(settings.STUDIO_STORAGE_URL)


def checked_path(path: str) -> str:
    """A relative POSIX path that stays inside its root, or a ValidationError. Files of steps may
    have any name that databases can hold."""
    text = str(path)
    parts = PurePosixPath(text).parts
    strays = not parts or text.startswith("/") or ".." in parts or "\0" in text
    if (
        strays
        or len(text) > 1000
        or not file_names.is_text(text)
        or any(len(part.encode()) > LONGEST_NAME for part in parts)
    ):
        raise ValidationError(
            {"path": f"{file_names.shown(text)!r} is no relative path of a file."}
        )
    return str(PurePosixPath(*parts))


def sent_path(path: str) -> str:
    """`checked_path` for a path that a client chose: Windows backslashes become slashes, control
    characters are refused."""
    text = str(path).replace("\\", "/")
    if not CONTROL.isdisjoint(text):
        raise ValidationError(
            {"path": f"{file_names.shown(text)!r} is no relative path of a file."}
        )
    return checked_path(text)


def remove_blobs(blobs: Iterable[str]) -> None:
    """Remove the blobs that exist."""
    root = storage_root()
    for blob in blobs:
        try:
            if root.local:
                (root.local / blob).unlink()
            else:
                root.fs.rm_file(root.at(blob))
        except FileNotFoundError:
            continue


def remove_folder(folder: str, *, sparing: Collection[str] = ()) -> None:
    """Remove everything below a folder, except the blobs in `sparing`."""
    if not sparing:
        storage_root().remove(folder)
    else:
        blobs = {f"{folder}/{name}" for name in blob_names(folder)}
        remove_blobs(blobs - set(sparing))


def blob_names(folder: str) -> list[str]:
    """Relative paths of everything below a folder, without files that are still being written."""
    found = (path for path, _ in storage_root().below(folder).states())
    return sorted(name for name in found if not PARTIAL.fullmatch(PurePosixPath(name).name))


def put_file(blob: str, source: Path) -> int:
    """Store a copy of a local file; returns its size."""
    root = storage_root()
    if root.local:
        target = root.local / blob
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    else:
        root.fs.put_file(str(source), root.at(blob))
    return Path(source).stat().st_size


def holds(blob: str, source: Path) -> bool:
    """Whether a blob exists and equals a local file."""
    try:
        with open_blob(blob) as kept, source.open("rb") as file:
            while (data := kept.read(CHUNK_BYTES)) == file.read(CHUNK_BYTES):
                if not data:
                    return True
    except FileNotFoundError:
        pass
    return False


def put_stream(
    blob: str, stream: Readable, *, writing: AbstractContextManager[None] | None = None
) -> int:
    """Store a stream; readers see the old or the new content. Returns its size. All of it has been
    read before `writing` is entered, which may refuse."""
    writing = writing or nullcontext()
    root = storage_root()
    if root.local:
        target = root.local / blob
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{uuid4().hex}.partial")
        try:
            with partial.open("wb") as file:
                shutil.copyfileobj(stream, file, CHUNK_BYTES)
            with writing:
                partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    else:
        with SpooledTemporaryFile(max_size=IN_MEMORY) as whole:
            shutil.copyfileobj(stream, whole, CHUNK_BYTES)
            whole.seek(0)
            with writing:
                pass  # a remote storage must not keep the database waiting
            with root.fs.open(root.at(blob), "wb") as file:
                shutil.copyfileobj(whole, file, CHUNK_BYTES)
    return blob_size(blob)


def append_stream(
    blob: str,
    stream: Readable,
    *,
    at: int | None,
    writing: AbstractContextManager[None] | None = None,
) -> int:
    """Append a stream to a blob, which must have `at` bytes if that is given; returns its new size.
    A local file just grows; other storages cannot append, so everything is written again. `writing`
    may refuse."""
    writing = writing or nullcontext()
    root = storage_root()
    if root.local is None:
        with joined(stream_blob(blob, end=blob_size(blob) if at is None else at), stream) as whole:
            return put_stream(blob, whole, writing=writing)
    with writing, (root.local / blob).open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = file.seek(0, os.SEEK_END)
        if at not in (None, end):
            raise Conflict("Somebody else has appended to this just now.")
        try:
            shutil.copyfileobj(stream, file, CHUNK_BYTES)
            file.flush()
        except BaseException:
            file.truncate(end)  # after an error such as a full disk, remove the partial data
            raise
        return file.tell()


@contextmanager
def joined(before: Iterator[bytes], behind: Readable) -> Iterator[IO[bytes]]:
    """Both streams as one temporary file, complete before anything is written to where `before`
    comes from."""
    with SpooledTemporaryFile(max_size=IN_MEMORY) as whole:
        whole.writelines(before)
        shutil.copyfileobj(behind, whole, CHUNK_BYTES)
        whole.seek(0)
        yield whole


def put_bytes(blob: str, data: bytes) -> int:
    root = storage_root()
    if root.local:
        target = root.local / blob
        try:
            target.write_bytes(data)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    else:
        root.fs.pipe_file(root.at(blob), data)
    return len(data)


def open_blob(blob: str) -> IO[bytes]:
    """A readable, seekable stream; FileNotFoundError if the blob does not exist."""
    root = storage_root()
    return (root.local / blob).open("rb") if root.local else root.fs.open(root.at(blob), "rb")


def blob_size(blob: str) -> int:
    root = storage_root()
    return (root.local / blob).stat().st_size if root.local else root.fs.size(root.at(blob))


def blob_state(blob: str) -> State:
    return storage_root().state(blob)


def stream_blob(blob: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    with open_blob(blob) as stream:
        stream.seek(start)
        left = None if end is None else end - start
        while left is None or left > 0:
            data = stream.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left))
            if not data:
                return
            left = None if left is None else left - len(data)
            yield data

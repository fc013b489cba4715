"""The files of source folders, stored by their content."""

import contextlib
import hashlib
import os
from dataclasses import dataclass
from typing import IO
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError

from studio.core.errors import NotFound
from studio.storage.store import Readable, Root, open_root

CHUNK = 1 << 20


class SnapshotError(ValidationError):
    """The folder or tree cannot become a snapshot; the message names the file."""


@dataclass(frozen=True)
class Stored:
    """The stored content of a file."""

    sha256: str
    size: int


def root() -> Root:
    return open_root(f"{settings.STUDIO_STORAGE_URL.rstrip('/')}/snapshots")


def place_of(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def add_file(stream: Readable, *, limit: int | None = None) -> Stored:
    """Store a content; equal contents are stored once. Readers never see a partial file."""
    limit = settings.STUDIO_SNAPSHOT_MAX_BYTES if limit is None else limit
    store, digest, size = root(), hashlib.sha256(), 0
    name = f"incoming/{uuid4().hex}"
    try:
        with _create(store, name) as target:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > limit:
                    raise SnapshotError(f"A file is larger than {limit} bytes.")
                digest.update(chunk)
                target.write(chunk)
            if store.local:
                target.flush()
                os.fsync(target.fileno())
        stored = Stored(digest.hexdigest(), size)
        _move(store, name, place_of(stored.sha256))
    except BaseException:
        _remove(store, name)
        raise
    return stored


def _create(store: Root, name: str) -> IO[bytes]:
    if store.local:
        path = store.local / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")
    store.fs.makedirs(store.at("incoming"), exist_ok=True)
    file: IO[bytes] = store.fs.open(store.at(name), "wb")
    return file


def _move(store: Root, name: str, place: str) -> None:
    if store.local:
        target = store.local / place
        target.parent.mkdir(parents=True, exist_ok=True)
        (store.local / name).replace(target)
    elif store.fs.exists(store.at(place)):
        store.fs.rm(store.at(name))
    else:
        store.fs.makedirs(store.at(place).rpartition("/")[0], exist_ok=True)
        store.fs.mv(store.at(name), store.at(place))


def _remove(store: Root, name: str) -> None:
    with contextlib.suppress(OSError):
        if store.local:
            (store.local / name).unlink(missing_ok=True)
        else:
            store.fs.rm(store.at(name))


def read(sha256: str) -> IO[bytes]:
    """A stored content, opened for reading."""
    store = root()
    try:
        return (
            (store.local / place_of(sha256)).open("rb")
            if store.local
            else store.fs.open(store.at(place_of(sha256)), "rb")
        )
    except FileNotFoundError as error:
        raise NotFound(f"The snapshot store has no content {sha256}.") from error

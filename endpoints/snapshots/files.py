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
from studio.storage.store import CHUNK, Readable, Store, studio_store


class SnapshotError(ValidationError):
    """The folder or tree cannot become a snapshot; the message names the file."""


@dataclass(frozen=True)
class Stored:
    """The stored content of a file."""

    sha256: str
    size: int


def store() -> Store:
    return studio_store().below("snapshots")


def place_of(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def add_file(stream: Readable, *, limit: int | None = None) -> Stored:
    """Store a content; equal contents are stored once. Readers never see a partial file."""
    limit = settings.STUDIO_SNAPSHOT_MAX_BYTES if limit is None else limit
    kept, digest, size = store(), hashlib.sha256(), 0
    name = f"incoming/{uuid4().hex}"
    try:
        with kept.create(name) as target:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > limit:
                    raise SnapshotError(f"A file is larger than {limit} bytes.")
                digest.update(chunk)
                target.write(chunk)
            if kept.folder:
                target.flush()
                os.fsync(target.fileno())
        stored = Stored(digest.hexdigest(), size)
        if kept.kind(place_of(stored.sha256)):
            kept.remove(name)
        else:
            kept.move(name, place_of(stored.sha256))
    except BaseException:
        with contextlib.suppress(OSError):
            kept.remove(name)
        raise
    return stored


def read(sha256: str) -> IO[bytes]:
    """A stored content, opened for reading."""
    try:
        return store().open(place_of(sha256))
    except FileNotFoundError as error:
        raise NotFound(f"The snapshot store has no content {sha256}.") from error

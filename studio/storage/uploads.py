"""Uploaded files that have not been claimed yet: source files before their snapshot is posted,
blocks before their list. They have names of ours, in the storage they will stay in."""

import logging
import os
import shutil
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import IO

from django.conf import settings
from django.utils import timezone

from studio.core.errors import NotFound
from studio.storage.store import Readable, Root, State, open_root, place_for

CONTAINER = "uploads"
CHUNK = 1 << 20

logger = logging.getLogger(__name__)


def _root() -> Root:
    return open_root(f"{settings.STUDIO_STORAGE_URL.rstrip('/')}/{CONTAINER}")


def _checked(name: str) -> str:
    if ".." in PurePosixPath(name).parts or name.startswith("/") or "\\" in name:
        raise NotFound(f"There is no upload {name!r}.")
    return name


def write(name: str, body: Readable) -> int:
    root = _root()
    path = root.at(_checked(name))
    with place_for(name):
        root.fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        if root.fs.isdir(path):
            raise IsADirectoryError(name)
    try:
        with root.fs.open(path, "wb") as target:
            shutil.copyfileobj(body, target, CHUNK)
    except BaseException:
        remove(name)  # half a file is worse than none
        raise
    return int(root.fs.size(path))


def state(name: str) -> State:
    try:
        return _root().state(_checked(name))
    except FileNotFoundError:
        raise NotFound(f"There is no upload {name!r}.") from None


def read(name: str) -> IO[bytes]:
    root = _root()
    try:
        file: IO[bytes] = root.fs.open(root.at(_checked(name)), "rb")
    except FileNotFoundError:
        raise NotFound(f"There is no upload {name!r}; send it again.") from None
    return file


def remove(name: str) -> None:
    root = _root()
    path = root.at(_checked(name))
    if root.fs.exists(path):
        root.fs.rm(path)


def remove_unclaimed() -> None:
    """Remove uploads that were not claimed within STUDIO_UPLOAD_HOURS."""
    before = timezone.now() - timedelta(hours=settings.STUDIO_UPLOAD_HOURS)
    root = _root()
    removed = 0
    for path, state in list(root.states()):
        if state.modified < before:
            with suppress(FileNotFoundError):  # claimed, or removed by another process
                root.fs.rm_file(root.at(path))
                removed += 1
    if root.local is not None:
        _remove_empty_folders(root.local, before)
    if removed:
        logger.info("removed %d uploads that nobody claimed", removed)


def _remove_empty_folders(top: Path, before: datetime) -> None:
    """Only old ones: a new folder waits for its first file."""
    for folder, _, _ in os.walk(top, topdown=False):
        place = Path(folder)
        if place != top and place.stat().st_mtime < before.timestamp():
            with suppress(OSError):  # not empty
                place.rmdir()

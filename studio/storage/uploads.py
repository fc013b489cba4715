"""Uploaded files that are not in use yet: source files before their snapshot is posted, blocks before their
block list. They are stored under names that we choose, in the studio's own storage."""

import logging
import shutil
from datetime import timedelta
from typing import IO

from django.conf import settings
from django.utils import timezone

from studio.core.errors import NotFound
from studio.storage.failures import place_for
from studio.storage.paths import PathError, relative_path
from studio.storage.store import CHUNK, Readable, State, Store, studio_store

CONTAINER = "uploads"

logger = logging.getLogger(__name__)


def _store() -> Store:
    return studio_store().below(CONTAINER)


def _checked(name: str) -> str:
    try:
        return relative_path(name)
    except PathError:
        raise NotFound(f"There is no upload {name!r}.") from None


def write(name: str, body: Readable) -> int:
    store, name = _store(), _checked(name)
    with place_for(name):
        target = store.create(name)
    try:
        with target:
            shutil.copyfileobj(body, target, CHUNK)
    except BaseException:
        store.remove(name)  # do not leave an incomplete file
        raise
    return store.state(name).size


def state(name: str) -> State:
    try:
        return _store().state(_checked(name))
    except FileNotFoundError:
        raise NotFound(f"There is no upload {name!r}.") from None


def read(name: str) -> IO[bytes]:
    try:
        return _store().open(_checked(name))
    except FileNotFoundError:
        raise NotFound(f"There is no upload {name!r}; send it again.") from None


def remove(name: str) -> None:
    _store().remove(_checked(name))


def remove_unclaimed() -> None:
    """Remove uploads that were not claimed within STUDIO_UPLOAD_HOURS."""
    before = timezone.now() - timedelta(hours=settings.STUDIO_UPLOAD_HOURS)
    store = _store()
    old = [name for name, state in store.files() if state.modified < before]
    store.remove(*old)
    store.remove_empty_folders(before=before)
    if old:
        logger.info("removed %d uploads that nobody claimed", len(old))

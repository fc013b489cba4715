"""Working folders that are not needed any more go in the background: unlinking waits for the disk,
which the next step of a slot should not."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import BoundedSemaphore
from uuid import UUID

from runs.models import StepAttempt

_background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="removal")
# Whoever makes folders faster than they go has to wait, before the disk is full of them.
_room = BoundedSemaphore(64)


def name_of(run_uuid: UUID | str, attempt: int) -> str:
    return f"{run_uuid}.{attempt}"


def discard(folder: Path) -> None:
    """Remove a working folder soon; every process of its step is gone."""
    _room.acquire()
    _background.submit(remove, folder).add_done_callback(lambda _: _room.release())


def remove(folder: Path) -> None:
    try:
        _remove(str(folder))
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)


def _remove(folder: str) -> None:
    """The plain way, three times as fast as `rmtree`, which guards against links put in its way."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _remove(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108 - these are texts, and many
    os.rmdir(folder)  # noqa: PTH106


def sweep(top: Path) -> None:
    """Remove what workers that died left in `top`: the folders of attempts that have ended."""
    found = {folder.name for folder in top.iterdir()} if top.exists() else set()
    # Read after: whoever makes a folder has written its attempt before.
    going = StepAttempt.objects.filter(finished_at=None).values_list("step__run__uuid", "number")
    for name in found - {name_of(*attempt) for attempt in going}:
        discard(top / name)


def wait() -> None:
    """Return when all that was asked for is gone."""
    _background.submit(lambda: None).result()

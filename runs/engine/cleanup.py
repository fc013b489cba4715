"""What an attempt leaves on this machine goes in the background: processes that left its group, and its
working folder. Looking through all processes and unlinking take longer than a short step."""

import logging
import os
import re
import shutil
import time
from pathlib import Path
from threading import Condition, Lock, Thread
from uuid import UUID

from runs.engine import worker_names
from runs.models import StepAttempt
from runs.steps.watchdog import kill_marked, kill_where

TOGETHER_SECONDS = 0.5  # what ends within this time is looked for at once
GONE_SECONDS = 10.0  # what was killed and is not gone then hangs in the kernel, and does no more
MOST = 256  # folders that may wait; before the disk is full of them, whoever adds one tidies up

logger = logging.getLogger(__name__)


def name_of(run_uuid: UUID | str, attempt: int) -> str:
    """The working folder of an attempt, below the work folder of its machine."""
    return f"{run_uuid}.{attempt}"


def mark_of(folder: Path) -> str:
    """The entry of its environment that tells the processes of an attempt from all others."""
    return f"STUDIO_FACTS_DIR={folder / 'facts'}"


class Cleaner:
    """One per process. Folders wait in `waiting`; the thread starts with the first of them."""

    def __init__(self) -> None:
        self.waiting: list[Path] = []
        self.changed = Condition()
        self.cleaning = Lock()
        self.thread: Thread | None = None

    def add(self, folder: Path) -> None:
        with self.changed:
            self.waiting.append(folder)
            if self.thread is None:
                self.thread = Thread(target=self._run, name="leftovers", daemon=True)
                self.thread.start()
            self.changed.notify()
            is_full = len(self.waiting) > MOST
        if is_full:
            self.clean_up()

    def clean_up(self) -> None:
        """Return when all that waited is gone."""
        with self.cleaning:
            with self.changed:
                folders, self.waiting = self.waiting, []
            if folders:
                kill_marked(*map(mark_of, folders))
            for folder in folders:
                remove(folder)

    def _run(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.waiting)
            time.sleep(TOGETHER_SECONDS)
            try:
                self.clean_up()
            except Exception:
                logger.exception("cleaning up after steps failed")


CLEANER = Cleaner()


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


def end_earlier(run_uuid: UUID | str, attempt: int) -> None:
    """End what earlier attempts of a step still do on this machine, for whatever worker, in whatever
    data folder: they are over, and two must not do the same work."""
    earlier = "|".join(re.escape(name_of(run_uuid, number)) for number in range(1, attempt))
    works_there = re.compile(f"/({earlier})/").search
    is_marked = re.compile(f"STUDIO_FACTS_DIR=.*/({earlier})/").match
    deadline = time.monotonic() + GONE_SECONDS
    # Until none is found: one may have forked while they were looked through.
    while found := kill_where(
        lambda cwd, environ: bool(works_there(cwd)) or any(map(is_marked, environ()))
    ):
        logger.warning("ended what earlier attempts of %s had left: %s", run_uuid, found)
        if time.monotonic() > deadline:
            return
        time.sleep(0.02)


def sweep(top: Path) -> None:
    """End and remove what workers that died left in `top`: processes and folders of attempts that
    have ended, or whose worker is gone."""
    found = {folder.name for folder in top.iterdir()} if top.exists() else set()
    # Read after: whoever makes a folder has written its attempt before.
    attempts = StepAttempt.objects.filter(finished_at=None)
    going = {
        name_of(run_uuid, number)
        for run_uuid, number, worker in attempts.values_list("step__run__uuid", "number", "worker")
        if worker_names.is_there(worker) is not False
    }
    for name in found - going:
        CLEANER.add(top / name)

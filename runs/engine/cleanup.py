"""Removes in the background what an attempt leaves on this machine: processes outside its process group,
and its working folder. Scanning all processes and deleting files take longer than a short step."""

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

TOGETHER_SECONDS = 0.5  # attempts that end within this time share one scan of the processes
GONE_SECONDS = (
    10.0  # a killed process that still exists then is stuck in the kernel: do not wait on
)
# Folders that may wait for the thread. Beyond that, `add` cleans up itself and so slows the worker down,
# or the disk could fill up.
MOST = 256

logger = logging.getLogger(__name__)


def name_of(run_uuid: UUID | str, attempt: int) -> str:
    """The name of an attempt's working folder."""
    return f"{run_uuid}.{attempt}"


def mark_of(folder: Path) -> str:
    """The environment entry by which the processes of an attempt are recognised."""
    return f"STUDIO_FACTS_DIR={folder / 'facts'}"


class Cleaner:
    """Cleans up `waiting` folders in a thread, which starts with the first folder. One per process."""

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
        """Clean up all waiting folders, in the calling thread."""
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
    """Three times as fast as `rmtree`, which also guards against links that appear meanwhile."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _remove(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108 - a Path for each of many files is slow
    os.rmdir(folder)  # noqa: PTH106


def end_earlier(run_uuid: UUID | str, attempt: int) -> None:
    """Kill the processes that earlier attempts of a step left on this machine, whichever worker or data
    folder they belong to: those attempts are over, and two must not do the same work."""
    earlier = "|".join(re.escape(name_of(run_uuid, number)) for number in range(1, attempt))
    works_there = re.compile(f"/({earlier})/").search
    is_marked = re.compile(f"STUDIO_FACTS_DIR=.*/({earlier})/").match
    deadline = time.monotonic() + GONE_SECONDS
    # Repeat until none is found: a process may have forked during the scan.
    while found := kill_where(
        lambda cwd, environ: bool(works_there(cwd)) or any(map(is_marked, environ()))
    ):
        logger.warning("killed processes left by earlier attempts of %s: %s", run_uuid, found)
        if time.monotonic() > deadline:
            return
        time.sleep(0.02)


def sweep(top: Path) -> None:
    """Remove what dead workers left in `top`: processes and folders of attempts that have ended or
    whose worker is gone."""
    found = {folder.name for folder in top.iterdir()} if top.exists() else set()
    # Query after listing the folders: an attempt's row is written before its folder is made.
    attempts = StepAttempt.objects.filter(finished_at=None)
    in_use = {
        name_of(run_uuid, number)
        for run_uuid, number, worker in attempts.values_list("step__run__uuid", "number", "worker")
        if worker_names.is_there(worker) is not False
    }
    for name in found - in_use:
        CLEANER.add(top / name)

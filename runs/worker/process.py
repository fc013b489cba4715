"""A worker process: slots that execute steps, a watchdog, heartbeats, and an orderly stop."""

import logging
import math
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from threading import Event, Lock, Thread, Timer
from typing import IO, Any, cast

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models.functions import Now
from django.utils import timezone

from runs import engine
from runs.engine import cleanup, worker_names
from runs.models import Outcome, Run, StepAttempt
from runs.models import Worker as WorkerRow
from runs.querysets import SILENT
from runs.serving import left_to_all
from runs.states import CLAIMED, Status
from runs.steps import Stop, StopFlag, watchdog
from runs.steps.forking import SERVERS

CHECK_SECONDS = (
    1.0  # how often running steps are checked: cancel and time-outs take effect within 2 s
)
SWEEP_SECONDS = 600.0
SILENCE_SECONDS = SILENT.total_seconds()
HEARTBEATS = 4  # per span of silence, hence every 5 s
STOP_AFTER_SECONDS = 5.0
# If an attempt of ours is this old and no slot runs it, its slot has failed.
ORPHAN_AGE = timedelta(seconds=90)

logger = logging.getLogger(__name__)


class WatchdogProcess:
    """The worker's side of `runs.steps.watchdog`; restarts the watchdog if somebody killed it."""

    def __init__(self, *, silence_seconds: float = SILENCE_SECONDS):
        self.silence_seconds = silence_seconds
        self._lock = Lock()
        self._groups: dict[int, str] = {}
        self._heard_at = time.monotonic()
        self._silent_until = 0.0
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", watchdog.__file__, str(self.silence_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._pipe = cast("IO[bytes]", self.process.stdin)

    def watch(self, group: int, mark: str) -> None:
        with self._lock:
            self._groups[group] = mark
            self._say(f"+{group} {mark}")

    def forget(self, group: int) -> None:
        with self._lock:
            self._groups.pop(group, None)
            self._say(f"-{group}")

    def ping(self) -> None:
        with self._lock:
            self._note_silence()
            self._say(".")
            self._heard_at = time.monotonic()

    def may_have_killed(self) -> bool:
        with self._lock:
            self._note_silence()
            return time.monotonic() < self._silent_until

    def _note_silence(self) -> None:
        now = time.monotonic()
        if now - self._heard_at >= self.silence_seconds:
            self._silent_until = now + self.silence_seconds

    def _say(self, line: str) -> None:
        try:
            self._write(line)
        except (BrokenPipeError, ValueError):
            logger.warning("the watchdog is gone; starting another")
            self.process.wait()
            self._start()
            for group, mark in self._groups.items():
                self._write(f"+{group} {mark}")

    def _write(self, line: str) -> None:
        self._pipe.write(f"{line}\n".encode())
        self._pipe.flush()

    def close(self) -> None:
        with self._lock:
            self._pipe.close()
            self.process.wait()


class Worker:
    """Without `queues`, it serves every compute target that no other worker serves by name, including
    targets created later. `on_queues` is called with the queues that are added and given up."""

    def __init__(
        self,
        *,
        slots: int,
        queues: list[str] | None = None,
        on_queues: Callable[[list[str], list[str]], None] = lambda added, given_up: None,
        silence_seconds: float = SILENCE_SECONDS,
    ):
        self.slots = slots
        self.is_named = queues is not None
        self.on_queues = on_queues
        self.queues: list[str] = queues or []
        self.name = worker_names.name_of_this_process()
        self.silence_seconds = silence_seconds
        self.watchdog = WatchdogProcess(silence_seconds=silence_seconds)
        self.stopping = Event()
        self.closed = Event()
        self._running: dict[engine.Claim, StopFlag] = {}
        self._lock = Lock()
        self._written_at = time.monotonic()
        self._swept_at = -math.inf
        self._threads: list[Thread] = []

    # --- life ------------------------------------------------------------------------------------
    def start(self) -> None:
        self.queues = self._wanted_queues()
        self._register()
        self._send_heartbeat()
        for loop, seconds in ((self._ping_watchdog, CHECK_SECONDS), (self._check, CHECK_SECONDS)):
            thread = Thread(target=self._every, args=(seconds, loop), daemon=True)
            thread.start()
            self._threads.append(thread)
        logger.info("worker %s serves %s with %s slots", self.name, self.queues, self.slots)

    def stop(self) -> None:
        """Claim no more steps. Steps that still run after 5 s are interrupted and queued again."""
        if not self.stopping.is_set():
            self.stopping.set()
            timer = Timer(STOP_AFTER_SECONDS, self._stop_running, [Stop.INTERRUPTED])
            timer.daemon = True
            timer.start()

    def close(self) -> None:
        self.closed.set()
        for thread in self._threads:
            thread.join(2)
        self.watchdog.close()
        SERVERS.close()
        cleanup.CLEANER.clean_up()
        WorkerRow.objects.filter(name=self.name).delete()

    def _every(self, seconds: float, act: Callable[[], None]) -> None:
        while not self.closed.wait(seconds):
            try:
                act()
            except DatabaseError:
                logger.warning("the database is not available", exc_info=True)
                connection.close()
            except Exception:
                logger.exception("a periodic task of the worker failed")
        connection.close()

    # --- work ------------------------------------------------------------------------------------
    def process_queue(self, queue: str) -> Iterator[tuple[Counter[str], float]]:
        """Execute steps of `queue` until none is ready. Yields how many steps became ready for other slots,
        per queue, and the seconds after which to announce them."""
        claim_ahead = partial(self._claim, queue)
        ahead = None
        while (claim := ahead or self._claim(queue)) is not None:
            with self._stop_flag_for(claim) as flag:
                finished = engine.execute(claim, flag, self.watchdog, claim_ahead=claim_ahead)
            ahead = finished.ahead
            if ahead is not None and ahead.run_id == claim.run_id:
                continue  # the run goes on, and the end was plain: `advance` has nothing to do
            ready = engine.advance(claim.run_id, after=finished)
            if finished.retry_seconds is not None:
                yield Counter({queue: 1}), finished.retry_seconds
            if ready[queue] and not self.stopping.is_set():
                ready[queue] -= 1  # this slot takes one of them
            if +ready:
                yield +ready, 0.0

    def _claim(self, queue: str) -> engine.Claim | None:
        """Claim a step, unless we are stopping or another worker now serves the queue by name."""
        if self.stopping.is_set() or queue not in self.queues:
            return None
        return engine.claim(self.name, [queue])

    @contextmanager
    def _stop_flag_for(self, claim: engine.Claim) -> Iterator[StopFlag]:
        flag = StopFlag()
        with self._lock:
            self._running[claim] = flag
        try:
            yield flag
        finally:
            with self._lock:
                del self._running[claim]
            flag.close()

    def _stop_running(self, reason: Stop) -> None:
        with self._lock:
            for flag in self._running.values():
                flag.ask(reason)

    def _stop_processes(self) -> None:
        """Interrupt steps whose process still runs, since others may soon declare them lost and run them
        again. Storing the results of an ended process may continue."""
        with self._lock:
            for flag in self._running.values():
                if not flag.process_is_over:
                    flag.ask(Stop.INTERRUPTED)

    # --- upkeep ----------------------------------------------------------------------------------
    def _ping_watchdog(self) -> None:
        """Does not use the database, so that a slow database does not silence us for the watchdog."""
        if time.monotonic() - self._written_at > self.silence_seconds:
            self._stop_processes()
        self.watchdog.ping()

    def _check(self) -> None:
        self._check_running_steps()
        # Written here and not in the signal handler, which may interrupt another write.
        if self.stopping.is_set():
            row = WorkerRow.objects.filter(name=self.name, stopping_at=None)
            row.update(stopping_at=Now())
        if time.monotonic() - self._written_at >= self.silence_seconds / HEARTBEATS:
            self._send_heartbeat()
            self._end_orphans()
            self._serve(self._wanted_queues())
        if time.monotonic() - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = time.monotonic()
            cleanup.sweep(settings.STUDIO_WORK_DIR)

    def _send_heartbeat(self) -> None:
        """Uses the database's clock, with which silence is measured, too."""
        silent = time.monotonic() - self._written_at > self.silence_seconds
        if silent:  # the watchdog has killed our steps: interrupt them before we look healthy again
            self._stop_processes()
        if not WorkerRow.objects.filter(name=self.name).update(heartbeat_at=Now()):
            logger.warning("the row of worker %s was deleted; registering it again", self.name)
            self._register()
        self._written_at = time.monotonic()

    def _register(self) -> None:
        WorkerRow.objects.create(
            name=self.name,
            role="worker",
            host=platform.node(),
            pid=os.getpid(),
            queues=self.queues,
            is_named=self.is_named,
            slots=self.slots,
        )

    def _wanted_queues(self) -> list[str]:
        return self.queues if self.is_named else left_to_all()

    def _serve(self, wanted: list[str]) -> None:
        """Serve these queues from now on. Update the row first: messages are sent according to the slots in
        the rows."""
        before = self.queues
        if wanted == before:
            return
        self.queues = wanted
        WorkerRow.objects.filter(name=self.name).update(queues=wanted)
        self.on_queues(
            [name for name in wanted if name not in before],
            [name for name in before if name not in wanted],
        )
        logger.info("worker %s serves %s", self.name, wanted)

    def _check_running_steps(self) -> None:
        """Act on cancel requests, on time-outs of runs, and on steps that another attempt has taken over."""
        with self._lock:
            running = dict(self._running)
        if not running:
            return
        rows = Run.objects.filter(pk__in=[claim.step_id for claim in running]).values(
            "pk",
            "status",
            "attempt",
            "parent_id",
            "parent__started_at",
            "parent__pipeline_run__timeout_seconds",
        )
        found = {row["pk"]: row for row in rows}
        now = timezone.now()
        for claim, flag in running.items():
            row = found.get(claim.step_id)
            if row is None or row["attempt"] != claim.attempt or row["status"] not in CLAIMED:
                flag.ask(Stop.SUPERSEDED)
            elif row["status"] == Status.CANCEL_REQUESTED:
                flag.ask(Stop.CANCELED)
            elif _is_over_time(row, now):
                engine.expire(row["parent_id"])

    def _end_orphans(self) -> None:
        with self._lock:
            running = {(claim.step_id, claim.attempt) for claim in self._running}
        old = timezone.now() - ORPHAN_AGE
        for attempt in StepAttempt.objects.filter(
            worker=self.name, finished_at=None, started_at__lt=old
        ).select_related("step__run"):
            if (attempt.step_id, attempt.number) not in running:
                run_id = attempt.step.run.owner_id
                claim = engine.Claim(attempt.step_id, attempt.number, run_id, self.name)
                engine.finish(claim, Outcome.INTERRUPTED, error="The worker's slot failed.")


def _is_over_time(row: Mapping[str, Any], now: datetime) -> bool:
    seconds, started = row["parent__pipeline_run__timeout_seconds"], row["parent__started_at"]
    return bool(seconds and started and now > started + timedelta(seconds=seconds))

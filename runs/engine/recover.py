"""Repairs what crashes leave behind: attempts of lost workers, lost queue messages, runs not advanced.

Safe to run at any time, repeatedly, and in several processes at once.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import (
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Subquery,
)
from django.db.models.functions import Now
from django.utils import timezone

from runs.engine import worker_names
from runs.engine.advance import advance
from runs.engine.claim import Claim, queued
from runs.engine.finish import finish, not_before_its_start
from runs.engine.time_out import OF_STEPS, expire, overdue_runs
from runs.engine.unsubmitted import fail_unsubmitted
from runs.models import Kind, Outcome, Run, StatusChange, StepAttempt, Worker
from runs.querysets import LOST, SILENT, WorkerQuerySet
from runs.states import BEFORE, Status
from studio.core.db.transactions import write_transaction

FORGET_WORKERS = timedelta(hours=1)
# A cancel that no worker carried out within the grace period plus this margin is forced.
CANCEL_MARGIN = timedelta(seconds=60)

logger = logging.getLogger(__name__)


class Listener:
    """Tells whether this process has watched heartbeats long enough to declare workers lost.

    If this process was paused itself (a laptop with a closed lid pauses all processes), or could not
    reach the database, missing heartbeats say nothing about the workers. After such a pause it waits
    for a whole span of silence before it declares workers lost again.
    """

    def __init__(self, silence: timedelta = LOST):
        self.silence = silence
        self.heard_at: datetime | None = None
        self.again_at: datetime | None = None

    def may_judge(self) -> bool:
        """Call this after the query for lost workers, so that a pause between the two is noticed."""
        now = timezone.now()
        # The remaining third leaves room for a heartbeat that was due, and some delay.
        if self.heard_at is not None and abs(now - self.heard_at) > self.silence * 2 / 3:
            self.again_at = now + self.silence
            logger.warning("recover was paused; no worker is declared lost for %s", self.silence)
        self.heard_at = now
        return self.again_at is None or now >= self.again_at


def recover(now: datetime | None = None, *, listener: Listener | None = None) -> Counter[str]:
    """Run all repairs; returns how many steps wait for a worker, per queue."""
    now = now or timezone.now()
    listener = listener or Listener()
    lost, silent, heard = _held_steps(listener.silence)
    _show_as_before(heard)
    if listener.may_judge():
        _show_not_responding(silent)
        for held in lost:
            _end_lost(held)
        _force_cancels(now)
        silent_workers(FORGET_WORKERS).delete()
    fail_unsubmitted(now)
    for run_id in overdue_runs(now):
        expire(run_id)
    for run_id in stuck_runs():
        advance(run_id)
    ready = queued(now).order_by().values("target").annotate(steps=Count("pk"))
    return Counter({row["target"]: row["steps"] for row in ready})


def silent_workers(span: timedelta = LOST) -> WorkerQuerySet:
    """Workers without a heartbeat for longer than `span`, by the database's clock, which also set
    `heartbeat_at`."""
    silence = ExpressionWrapper(Now() - F("heartbeat_at"), output_field=DurationField())
    return Worker.objects.alias(silence=silence).filter(silence__gt=span)


def live_workers(span: timedelta = LOST) -> WorkerQuerySet:
    return Worker.objects.exclude(pk__in=silent_workers(span).values("pk"))


class _Held(NamedTuple):
    """An unfinished attempt, with the status of its step."""

    step_id: int
    attempt: int
    run_id: int
    worker: str
    status: str
    before: str  # the step's status before it was last Not responding
    heard_at: datetime | None  # None if the worker has stopped without ending the attempt
    silence: timedelta | None


def _held_steps(span: timedelta) -> tuple[list[_Held], list[_Held], list[_Held]]:
    """The steps of lost workers, those of silent ones, and those that are Not responding although their
    worker is heard again. All in one query, since this is asked every 10 s."""
    heartbeat = Worker.objects.filter(name=OuterRef("worker")).values("heartbeat_at")
    marked = StatusChange.objects.filter(run=OuterRef("step"), to_status=Status.NOT_RESPONDING)
    found = StepAttempt.objects.filter(finished_at__isnull=True).annotate(
        heard_at=Subquery(heartbeat),
        silence=ExpressionWrapper(Now() - F("heard_at"), output_field=DurationField()),
        before=Subquery(marked.order_by("-pk").values("from_status")[:1]),
    )
    silent = span * (SILENT / LOST)
    found = found.filter(
        Q(silence=None) | Q(silence__gt=silent) | Q(step__run__status=Status.NOT_RESPONDING)
    )
    columns = ("step_id", "number", "step__run__parent_id", "worker", "step__run__status")
    rows = found.values_list(*columns, "before", "heard_at", "silence")
    of_lost, of_silent, of_heard = [], [], []
    # In this order they are locked. Sorted here: ORDER BY would make SQLite read all attempts.
    for held in sorted(_Held(*row) for row in rows):
        if held.silence is None or held.silence > span:
            of_lost.append(held)
        elif held.silence > silent:
            of_silent.append(held)
        else:
            of_heard.append(held)
    return of_lost, of_silent, of_heard


def _show_not_responding(silent: Iterable[_Held]) -> None:
    marked = [held for held in silent if held.status in BEFORE[Status.NOT_RESPONDING]]
    if not marked:
        return
    with write_transaction():
        # A worker that froze within a transaction has locked its step: do not wait for it.
        steps = Run.objects.filter(pk__in=[held.step_id for held in marked]).order_by("pk")
        free = steps.select_for_update(no_key=True, skip_locked=True)
        pks = set(free.values_list("pk", flat=True))
        for held in marked:
            if held.step_id in pks:
                Run.objects.transition(
                    held.step_id,
                    to=Status.NOT_RESPONDING,
                    was=Status(held.status),
                    attempt=held.attempt,
                    reason=f"no heartbeat of worker {held.worker} since {held.heard_at:%H:%M:%S} UTC",
                )


def _show_as_before(heard: Iterable[_Held]) -> None:
    for held in heard:
        Run.objects.transition(
            held.step_id,
            to=Status(held.before),
            was=Status.NOT_RESPONDING,
            attempt=held.attempt,
            reason=f"worker {held.worker} is heard again",
        )


def _end_lost(held: _Held) -> None:
    claim = Claim(held.step_id, held.attempt, held.run_id, held.worker)
    outcome, error = Outcome.LOST, f"Worker {held.worker} fell silent while the step ran."
    # On another machine we cannot tell; the worker corrects this when it is back (`finish._end_attempt`).
    if worker_names.is_there(held.worker):
        outcome, error = Outcome.INTERRUPTED, f"Worker {held.worker} was paused."
    finish(claim, outcome, error=error, code="WorkerLost")
    logger.warning("step %s attempt %s lost: %s", held.step_id, held.attempt, error)
    advance(held.run_id)


def _force_cancels(now: datetime) -> None:
    deadline = now - timedelta(seconds=settings.STUDIO_CANCEL_GRACE_SECONDS) - CANCEL_MARGIN
    steps = Run.objects.live().filter(
        kind=Kind.STEP, status=Status.CANCEL_REQUESTED, cancel_requested_at__lt=deadline
    )
    for pk, parent_id in list(steps.values_list("pk", "parent_id")):
        text = "its worker did not end it in time"
        Run.objects.transition(pk, to=Status.CANCELED, was=Status.CANCEL_REQUESTED, reason=text)
        StepAttempt.objects.filter(step_id=pk, finished_at=None).update(
            finished_at=not_before_its_start(now), outcome=Outcome.CANCELED, error=text
        )
        advance(parent_id)


def stuck_runs() -> list[int]:
    """Runs that need `advance`: a step has ended or a cancel or an error was set, but the rest of the run
    has not followed."""
    steps = Run.objects.filter(parent=OuterRef("pk"), kind=Kind.STEP)
    ended = Exists(steps.filter(finished_at__isnull=False))
    waiting = Exists(steps.filter(status=Status.NOT_STARTED))
    alive = Exists(steps.filter(finished_at__isnull=True))
    runs = Run.objects.live().filter(kind__in=OF_STEPS, pipeline_run__submitted_at__isnull=False)
    asked = Q(status=Status.CANCEL_REQUESTED) | ~Q(error_code="")
    return list(
        runs.filter(asked | (Q(ended) & Q(waiting)) | ~Q(alive)).values_list("pk", flat=True)
    )

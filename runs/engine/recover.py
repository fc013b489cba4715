"""Putting right what a death in the middle left: silent workers, lost bells, unfinished ends.

It may run at any time, as often as one likes and in several processes at once.
"""

import logging
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import (
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
)
from django.db.models.functions import Now
from django.utils import timezone

from runs.engine import worker_names
from runs.engine.advance import advance
from runs.engine.claim import Claim, queued
from runs.engine.finish import finish, not_before_its_start
from runs.engine.time_out import OF_STEPS, expire, overdue_runs
from runs.engine.unsubmitted import fail_unsubmitted
from runs.models import Kind, Outcome, Run, StepAttempt, Worker
from runs.querysets import LOST, WorkerQuerySet
from runs.states import Status

FORGET_WORKERS = timedelta(hours=1)
# On top of the grace period: a cancel that nobody has obeyed by then is carried out by force.
CANCEL_MARGIN = timedelta(seconds=60)

logger = logging.getLogger(__name__)


class Listener:
    """How long a process has listened to the workers without a pause of its own.

    While it was paused itself (a closed lid stops all of them together), or could not reach the
    database, it heard nobody: that silence says nothing about a worker. After a pause it listens for
    a whole span of silence before it judges again.
    """

    def __init__(self, silence: timedelta = LOST):
        self.silence = silence
        self.heard_at: datetime | None = None
        self.again_at: datetime | None = None

    def may_judge(self) -> bool:
        """To be asked after workers were looked up, so that no pause in between goes unnoticed."""
        now = timezone.now()
        # Beside such a gap there is room for a heartbeat that was due, and some delay.
        if self.heard_at is not None and abs(now - self.heard_at) > self.silence * 2 / 3:
            self.again_at = now + self.silence
            logger.warning("recover was paused; it listens for %s again", self.silence)
        self.heard_at = now
        return self.again_at is None or now >= self.again_at


def recover(now: datetime | None = None, *, listener: Listener | None = None) -> Counter[str]:
    """Do all of it; returns how many steps wait for a worker, per queue."""
    now = now or timezone.now()
    listener = listener or Listener()
    lost = list(lost_attempts(listener.silence))
    if listener.may_judge():
        for attempt in lost:
            _end_lost(attempt)
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
    """Workers without a heartbeat for so long, by the database's clock, which wrote the heartbeats."""
    silence = ExpressionWrapper(Now() - F("heartbeat_at"), output_field=DurationField())
    return Worker.objects.alias(silence=silence).filter(silence__gt=span)


def live_workers(span: timedelta = LOST) -> WorkerQuerySet:
    return Worker.objects.exclude(pk__in=silent_workers(span).values("pk"))


def lost_attempts(span: timedelta = LOST) -> QuerySet[StepAttempt]:
    """Attempts whose worker is silent, or has left without ending them."""
    heard = live_workers(span).values("name")
    return StepAttempt.objects.filter(finished_at__isnull=True).exclude(worker__in=heard)


def _end_lost(attempt: StepAttempt) -> None:
    step = Run.objects.only("parent_id").get(pk=attempt.step_id)
    claim = Claim(
        step_id=attempt.step_id,
        attempt=attempt.number,
        run_id=step.owner_id,
        worker=attempt.worker,
    )
    outcome, error = Outcome.LOST, f"Worker {attempt.worker} fell silent while the step ran."
    # Those of other machines say so when they are back (`finish._end_attempt`).
    if worker_names.is_there(attempt.worker):
        outcome, error = Outcome.INTERRUPTED, f"Worker {attempt.worker} was paused."
    finish(claim, outcome, error=error, code="WorkerLost")
    logger.warning("step %s attempt %s lost: %s", attempt.step_id, attempt.number, error)
    advance(step.owner_id)


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
    """Runs in which something has ended and something else has not heard of it."""
    steps = Run.objects.filter(parent=OuterRef("pk"), kind=Kind.STEP)
    ended = Exists(steps.filter(finished_at__isnull=False))
    waiting = Exists(steps.filter(status=Status.NOT_STARTED))
    alive = Exists(steps.filter(finished_at__isnull=True))
    runs = Run.objects.live().filter(kind__in=OF_STEPS, pipeline_run__submitted_at__isnull=False)
    asked = Q(status=Status.CANCEL_REQUESTED) | ~Q(error_code="")
    return list(
        runs.filter(asked | (Q(ended) & Q(waiting)) | ~Q(alive)).values_list("pk", flat=True)
    )

"""Repairs what crashes leave behind: attempts of lost workers, lost queue messages, runs not advanced.

Safe to run at any time, repeatedly, and in several processes at once.
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
    """Workers without a heartbeat for longer than `span`, by the database's clock, which also set
    `heartbeat_at`."""
    silence = ExpressionWrapper(Now() - F("heartbeat_at"), output_field=DurationField())
    return Worker.objects.alias(silence=silence).filter(silence__gt=span)


def live_workers(span: timedelta = LOST) -> WorkerQuerySet:
    return Worker.objects.exclude(pk__in=silent_workers(span).values("pk"))


def lost_attempts(span: timedelta = LOST) -> QuerySet[StepAttempt]:
    """Attempts whose worker is silent, or has stopped without ending them."""
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
    # On another machine we cannot tell; the worker corrects this when it is back (`finish._end_attempt`).
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

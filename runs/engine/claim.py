"""Claiming a queued step for a worker: exactly one worker gets each attempt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from runs.models import Kind, Run, StepAttempt
from runs.querysets import RunQuerySet
from runs.states import Status
from studio.core.db.transactions import write_transaction


@dataclass(frozen=True)
class Claim:
    """A worker's right to run one attempt of one step and to write its end."""

    step_id: int
    attempt: int
    run_id: int
    worker: str


def claim(worker: str, queues: Iterable[str], *, now: datetime | None = None) -> Claim | None:
    """Claim the oldest step of `queues` that may start for `worker`; None if there is none."""
    now = now or timezone.now()
    while (found := _oldest(queues, now)) is not None:
        if _take(found, worker, now):
            return Claim(
                step_id=found["pk"],
                attempt=found["attempt"] + 1,
                run_id=found["parent_id"],
                worker=worker,
            )
    return None


def queued(now: datetime) -> RunQuerySet:
    """The steps that only wait for a worker."""
    return Run.objects.filter(kind=Kind.STEP, status=Status.QUEUED).filter(
        Q(step__not_before__isnull=True) | Q(step__not_before__lte=now)
    )


def _oldest(queues: Iterable[str], now: datetime) -> Mapping[str, Any] | None:
    """One indexed query per queue: `target IN (…)` would read and sort all queued steps."""
    firsts = [
        queued(now)
        .filter(target=queue)
        .order_by("pk")
        .values("pk", "attempt", "parent_id", "parent__status")
        .first()
        for queue in queues
    ]
    return min(filter(None, firsts), key=lambda row: row["pk"], default=None)


def _take(found: Mapping[str, Any], worker: str, now: datetime) -> bool:
    with write_transaction():
        number = found["attempt"] + 1
        moved = Run.objects.transition(
            found["pk"],
            to=Status.PREPARING,
            was=Status.QUEUED,
            attempt=found["attempt"],
            next_attempt=number,
            at=now,
            reason=f"attempt {number} on {worker}",
            error="",
            error_code="",
        )
        if moved:
            StepAttempt.objects.create(
                step_id=found["pk"], number=number, worker=worker, started_at=now
            )
            if found["parent__status"] == Status.NOT_STARTED:
                Run.objects.transition(
                    found["parent_id"],
                    to=Status.RUNNING,
                    was=Status.NOT_STARTED,
                    at=now,
                    reason="its first step started",
                )
        return bool(moved)

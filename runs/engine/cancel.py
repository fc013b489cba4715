"""Canceling the steps of a run."""

from datetime import datetime

from django.utils import timezone

from runs.models import Kind, Run
from runs.states import IN_PROGRESS, WAITING, Status
from studio.core.db.transactions import write_transaction


def cancel_steps(run_id: int, reason: str, *, at: datetime | None = None) -> None:
    """Cancel steps that have not started; ask the workers to cancel the steps they run."""
    at = at or timezone.now()
    with write_transaction():
        steps = Run.objects.filter(parent_id=run_id, kind=Kind.STEP)
        waiting = steps.filter(status__in=WAITING).values_list("pk", flat=True)
        Run.objects.transition(*waiting, to=Status.CANCELED, only=WAITING, reason=reason)
        # Query this second: a step that a worker claimed meanwhile is in progress now.
        in_progress = steps.filter(status__in=IN_PROGRESS).values_list("pk", flat=True)
        Run.objects.transition(
            *in_progress,
            to=Status.CANCEL_REQUESTED,
            only=IN_PROGRESS,
            reason=reason,
            cancel_requested_at=at,
        )

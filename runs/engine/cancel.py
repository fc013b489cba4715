"""Canceling the steps of a run."""

from datetime import datetime

from django.utils import timezone

from runs.models import Kind, Run
from runs.states import IN_PROGRESS, Status
from studio.core.db.transactions import write_transaction

WAITING = (Status.NOT_STARTED, Status.QUEUED)


def cancel_steps(run_id: int, reason: str, *, at: datetime | None = None) -> None:
    """Cancel what has not started; ask the workers to cancel what they hold."""
    at = at or timezone.now()
    with write_transaction():
        steps = Run.objects.filter(parent_id=run_id, kind=Kind.STEP)
        waiting = steps.filter(status__in=WAITING)
        waiting.move_all(waiting.values_list("pk", flat=True), to=Status.CANCELED, reason=reason)
        # Read again: what a worker claimed in between is in progress now.
        in_progress = steps.filter(status__in=IN_PROGRESS)
        in_progress.move_all(
            in_progress.values_list("pk", flat=True),
            to=Status.CANCEL_REQUESTED,
            reason=reason,
            cancel_requested_at=at,
        )

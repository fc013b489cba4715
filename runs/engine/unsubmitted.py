"""Runs that their client has made and not yet submitted: nothing schedules them."""

from datetime import datetime, timedelta

from django.utils import timezone

from runs.models import PipelineRun, Run
from runs.states import Status
from studio.core.db.transactions import write_transaction

# A client submits in its next call. One that has not done so in a day is gone, and its run would wait
# for ever: there is no step whose end would end it.
ABANDONED = timedelta(days=1)


def take_unsubmitted(run_id: int) -> bool:
    """True for the one caller that may decide what becomes of an unsubmitted run: start it or cancel it."""
    unsubmitted = PipelineRun.objects.filter(pk=run_id, submitted_at__isnull=True)
    return bool(unsubmitted.update(submitted_at=timezone.now()))


def fail_unsubmitted(now: datetime) -> None:
    unsubmitted = Run.objects.live().filter(
        pipeline_run__submitted_at__isnull=True, created_at__lt=now - ABANDONED
    )
    # The outer join of the condition above would find the runs that have no PipelineRun at all.
    for pk in list(unsubmitted.filter(pipeline_run__isnull=False).values_list("pk", flat=True)):
        with write_transaction():
            if take_unsubmitted(pk):
                text = "Its client did not submit it within a day."
                Run.objects.transition(
                    pk, to=Status.FAILED, reason=text, error=text, error_code="NotSubmitted"
                )

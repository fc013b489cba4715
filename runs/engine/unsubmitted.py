"""Runs that a client created but has not submitted yet, so that nothing schedules their steps."""

from datetime import datetime, timedelta

from django.utils import timezone

from runs.models import PipelineRun, Run
from runs.states import Status
from studio.core.db.transactions import write_transaction

# A client submits in its next call. After a day it is gone, and its run would wait for ever, since no
# step would end and so end the run.
ABANDONED = timedelta(days=1)


def take_unsubmitted(run_id: int) -> bool:
    """True for exactly one caller, which may then start or cancel the unsubmitted run."""
    unsubmitted = PipelineRun.objects.filter(pk=run_id, submitted_at__isnull=True)
    return bool(unsubmitted.update(submitted_at=timezone.now()))


def fail_unsubmitted(now: datetime) -> None:
    unsubmitted = Run.objects.live().filter(
        pipeline_run__submitted_at__isnull=True, created_at__lt=now - ABANDONED
    )
    # The condition above is an outer join, which also finds runs without a PipelineRun: exclude them.
    for pk in list(unsubmitted.filter(pipeline_run__isnull=False).values_list("pk", flat=True)):
        with write_transaction():
            if take_unsubmitted(pk):
                text = "Its client did not submit it within a day."
                Run.objects.transition(
                    pk, to=Status.FAILED, reason=text, error=text, error_code="NotSubmitted"
                )

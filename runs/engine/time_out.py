"""Ends runs whose time-out has passed."""

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import (
    F,
)

from runs.engine.advance import advance
from runs.models import Kind, Run
from runs.states import Status

OF_STEPS = (Kind.PIPELINE, Kind.SCRIPT)  # the kinds of runs that the engine advances


def overdue_runs(now: datetime) -> list[int]:
    running = (
        Run.objects.live()
        .filter(
            kind__in=OF_STEPS,
            error_code="",
            pipeline_run__timeout_seconds__isnull=False,
            pipeline_run__submitted_at__isnull=False,
        )
        .values_list(
            *("pk", "started_at", "pipeline_run__submitted_at", "pipeline_run__timeout_seconds")
        )
    )
    return [
        pk
        for pk, started, submitted, seconds in running
        if now > (started or submitted) + timedelta(seconds=seconds)
    ]


def expire(run_id: int) -> Counter[str]:
    """Fail a run whose time-out has passed, and stop its steps."""
    text = "The run's time-out has passed."
    Run.objects.filter(pk=run_id, error_code="", finished_at=None).exclude(
        status=Status.CANCEL_REQUESTED
    ).update(error=text, error_code="TimedOut", updated_at=F("updated_at"))
    return advance(run_id)

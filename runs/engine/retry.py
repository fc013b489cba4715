"""Decides whether and when a step is tried again after a failed or lost attempt."""

from datetime import datetime, timedelta
from typing import Any

from runs.engine.claim import Claim
from runs.models import Outcome, StepAttempt, StepRun

# After losing its worker this often, the step itself is assumed to be the cause, and fails.
LOST_LIMIT = 2
MAX_DELAY_SECONDS = 3600


def next_try(claim: Claim, outcome: Outcome, at: datetime) -> tuple[float | None, dict[str, Any]]:
    """Seconds until the next attempt (None if there is none), and the changes to the step's row.

    A lost worker uses up no retry. Each failure doubles the delay.
    """
    if outcome == Outcome.LOST:
        lost = StepAttempt.objects.filter(step_id=claim.step_id, outcome=Outcome.LOST).count()
        return (0.0, {"not_before": None}) if lost + 1 < LOST_LIMIT else (None, {})
    step = StepRun.objects.only("retries", "retries_used", "retry_delay_seconds").get(
        pk=claim.step_id
    )
    if step.retries_used >= step.retries:
        return None, {}
    seconds = min(step.retry_delay_seconds * 2**step.retries_used, MAX_DELAY_SECONDS)
    return seconds, {
        "retries_used": step.retries_used + 1,
        "not_before": at + timedelta(seconds=seconds),
    }

"""Executes a claimed step and writes its end."""

import logging
from collections.abc import Callable
from functools import partial

from django.core.exceptions import ValidationError

from runs.engine.attempt import AWAY, Attempt, Watchdog
from runs.engine.claim import Claim
from runs.engine.claimed_step import decide, load
from runs.engine.finish import Finished, finish
from runs.engine.outages import GivenUp, OutageRetry, after_outage, is_outage
from runs.engine.result import Result
from runs.models import Outcome
from runs.steps import StopFlag
from studio.core.errors import Refused, text_of

WRITE_SECONDS = 60.0  # how long a stopping worker waits for the database
logger = logging.getLogger(__name__)


def execute(
    claim: Claim,
    flag: StopFlag,
    watchdog: Watchdog,
    *,
    claim_ahead: Callable[[], Claim | None] = lambda: None,
) -> Finished:
    """Execute a claimed step and write its end, unless the claim was lost meanwhile.

    `claim_ahead` may claim the caller's next step in the transaction that writes a plain end."""
    try:
        job = load(claim)
        if job.step.delivery is None and decide(job):
            return Finished(True)
        result = Attempt(job, flag, watchdog).result()
        result.step_changes = job.changes
        result.is_last = job.is_last
        result.on_complete = job.on_complete
    except Exception as error:
        logger.exception("step %s attempt %s raised an error", claim.step_id, claim.attempt)
        result = Result(Outcome.FAILED, error=f"The studio failed: {error}", code="ServiceError")
        if isinstance(error, AWAY) and is_outage(error):
            after_outage()
            # Raised only before the process started or when the worker stops: running it again is safe.
            result = Result(Outcome.INTERRUPTED, error=f"The database failed: {error}")
    return _write_end(
        claim,
        flag,
        lambda: finish(
            claim,
            result.outcome,
            exit_code=result.exit_code,
            error=result.error,
            code=result.code,
            may_be_reused=result.may_be_reused,
            is_last=result.is_last,
            running_since=result.running_since,
            step_changes={**result.step_changes, "warnings": result.warnings},
            on_complete=result.on_complete,
            claim_ahead=claim_ahead,
        ),
    )


def _write_end(claim: Claim, flag: StopFlag, write: Callable[[], Finished]) -> Finished:
    """Write the end of an attempt. If the database refuses it, write a failure with a plain text instead:
    the same write would be refused every time, and `recover` would run the step again each time."""
    try:
        return _write_in_time(flag, write)
    except GivenUp:
        raise
    except Exception as error:
        logger.exception("the end of step %s cannot be written", claim.step_id)
        text = f"The studio could not write how the step ended ({type(error).__name__})."
        code = "ServiceError"
        if isinstance(error, Refused | ValidationError):  # raised by registering a dataset
            text, code = text_of(error), "UserError"
        write_failure = partial(finish, claim, Outcome.FAILED, error=text, code=code)
        return _write_in_time(flag, write_failure)


def _write_in_time(flag: StopFlag, write: Callable[[], Finished]) -> Finished:
    """Retry until the database is back: without a written end the run would hang. `write` itself checks
    whether the attempt is still ours."""
    try:
        if not flag:
            return OutageRetry(flag)(write)
    except GivenUp:
        pass  # the step was stopped, but its end must still be written
    return OutageRetry(flag, seconds=WRITE_SECONDS)(write)

"""What follows from the end of a step: its next attempt, the steps it lets go, the end of its run."""

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from runs.engine.claim import Claim
from runs.models import Kind, Outcome, Run, StepAttempt, StepRun
from runs.states import HELD, TERMINAL, Status

WAITING = (Status.NOT_STARTED, Status.QUEUED)
BUSY = HELD | {Status.QUEUED, Status.CANCEL_REQUESTED}
# A step may lose its worker this often before it is taken to be the reason.
LOST_LIMIT = 2
MAX_DELAY_SECONDS = 3600


def finish(
    claim: Claim,
    outcome: Outcome,
    *,
    exit_code: int | None = None,
    error: str = "",
    code: str = "UserError",
    at: datetime | None = None,
    may_be_reused: bool = False,
    **step_changes,
) -> bool:
    """Write the end of one attempt. False, and nothing is written, if it is not ours any more."""
    at = at or timezone.now()
    with transaction.atomic():
        step = StepRun.objects.only(
            "retries", "retries_used", "retry_delay_seconds", "run_id"
        ).get(pk=claim.step_id)
        changes = {**step_changes, "exit_code": exit_code}
        moved = False
        if outcome == Outcome.COMPLETED:
            moved = _move(claim, Status.COMPLETED, at)
            changes["is_reuse_source"] = may_be_reused and moved
        elif outcome == Outcome.INTERRUPTED:
            moved = _move(claim, Status.QUEUED, at, "interrupted; it will be started again")
        elif _tries_again(step, outcome):
            changes |= _next_try(step, outcome, at)
            moved = _move(claim, Status.QUEUED, at, f"{outcome.label}: {error}")
        elif outcome != Outcome.CANCELED:
            moved = _move(claim, Status.FAILED, at, error, error=error, error_code=code)
        # Asked to cancel meanwhile, by somebody or by the failure of another step: that stands.
        moved = moved or _move(claim, Status.CANCELED, at, error)
        if moved:
            StepRun.objects.filter(pk=claim.step_id).update(**changes)
            StepAttempt.objects.filter(
                step_id=claim.step_id, number=claim.attempt, finished_at=None
            ).update(
                finished_at=at,
                outcome=outcome,
                exit_code=exit_code,
                error=error,
            )
        return moved


def _move(claim: Claim, to: Status, at: datetime, reason: str = "", **stamps) -> bool:
    return Run.objects.move(
        claim.step_id, to=to, attempt=claim.attempt, at=at, reason=reason, **stamps
    )


def _tries_again(step: StepRun, outcome: Outcome) -> bool:
    if outcome == Outcome.LOST:
        lost = StepAttempt.objects.filter(step_id=step.pk, outcome=Outcome.LOST).count()
        return lost + 1 < LOST_LIMIT
    return outcome in (Outcome.FAILED, Outcome.TIMED_OUT) and step.retries_used < step.retries


def _next_try(step: StepRun, outcome: Outcome, at: datetime) -> dict:
    """A lost worker uses up no retry; a failure doubles the wait before the next try."""
    if outcome == Outcome.LOST:
        return {"not_before": None}
    seconds = min(step.retry_delay_seconds * 2**step.retries_used, MAX_DELAY_SECONDS)
    return {"retries_used": step.retries_used + 1, "not_before": at + timedelta(seconds=seconds)}


def advance(run_id: int) -> Counter:
    """Let go what the ended steps of a run allow, end the run when all is over.

    Returns how many steps became ready, per queue. It may be called at any time and as often as one
    likes. The end of a step must be committed before: of two parents that finish together, the later
    then sees both.
    """
    run = (
        Run.objects.filter(pk=run_id)
        .values(
            "status", "cancel_requested_at", "error_code", "pipeline_run__continue_on_step_failure"
        )
        .first()
    )
    if run is None or run["status"] in TERMINAL:
        return Counter()
    steps = list(
        Run.objects.filter(parent_id=run_id, kind=Kind.STEP)
        .order_by("number")
        .values_list("pk", "status", "step__node_id", "step__needs", "target", "name")
    )
    reason = _why_cancel(run, steps)
    if reason:
        cancel_steps(run_id, reason)
        ready = Counter()
    else:
        ready = _let_go(steps)
        if ready or any(status in BUSY for _, status, _, _, _, _ in steps):
            return ready  # whoever ends those comes here again
    if not Run.objects.filter(parent_id=run_id, kind=Kind.STEP).live().exists():
        settle(run_id)
    return ready


def _why_cancel(run: dict, steps: list[tuple]) -> str:
    """Why the rest of a run is to be canceled; empty when it goes on."""
    if run["status"] == Status.CANCEL_REQUESTED:
        return "the run was canceled"
    if run["error_code"]:
        return "the run has failed"
    if run["pipeline_run__continue_on_step_failure"]:
        return ""
    return next(
        (f"step {name} failed" for _, status, _, _, _, name in steps if status == Status.FAILED), ""
    )


def _let_go(steps: list[tuple]) -> Counter:
    """Queue what waits for nothing any more; skip what waits for something that will never be."""
    statuses = {node_id: status for _, status, node_id, _, _, _ in steps}
    queue, skip, targets = [], [], {}
    for pk, status, node_id, needs, target, _ in steps:
        if status != Status.NOT_STARTED:
            continue
        parents = [statuses[need] for need in needs]
        if any(parent in TERMINAL and parent != Status.COMPLETED for parent in parents):
            # Steps come in an order in which parents precede, so this reaches all descendants.
            statuses[node_id] = Status.SKIPPED
            skip.append(pk)
        elif all(parent == Status.COMPLETED for parent in parents):
            queue.append(pk)
            targets[pk] = target
    moved = []
    if skip:
        Run.objects.move_all(skip, to=Status.SKIPPED, reason="a step it waits for did not complete")
    if queue:
        waiting = Run.objects.filter(status=Status.NOT_STARTED)
        moved = waiting.move_all(queue, to=Status.QUEUED, reason="all it waits for completed")
    return Counter(targets[pk] for pk in moved)


def cancel_steps(run_id: int, reason: str, *, at: datetime | None = None) -> None:
    """Cancel what has not started; ask the workers to cancel what they hold."""
    at = at or timezone.now()
    with transaction.atomic(savepoint=False):
        steps = Run.objects.filter(parent_id=run_id, kind=Kind.STEP)
        waiting = steps.filter(status__in=WAITING)
        waiting.move_all(waiting.values_list("pk", flat=True), to=Status.CANCELED, reason=reason)
        # Read again: what a worker claimed in between is held now.
        held = steps.filter(status__in=HELD)
        held.move_all(
            held.values_list("pk", flat=True),
            to=Status.CANCEL_REQUESTED,
            reason=reason,
            cancel_requested_at=at,
        )


def settle(run_id: int) -> bool:
    """End a run whose steps have all ended; True if we did it."""
    steps = list(
        Run.objects.filter(parent_id=run_id, kind=Kind.STEP)
        .order_by("finished_at", "number")
        .values_list("status", "name", "error")
    )
    statuses = {status for status, _, _ in steps}
    run = Run.objects.only("status", "error", "error_code").get(pk=run_id)
    with transaction.atomic():
        if run.status == Status.CANCEL_REQUESTED:
            moved = Run.objects.move(run_id, to=Status.CANCELED, reason=run.error)
        elif run.error_code:
            moved = Run.objects.move(run_id, to=Status.FAILED, reason=run.error)
        elif Status.FAILED in statuses:
            error = _first_failure(steps)
            moved = Run.objects.move(
                run_id, to=Status.FAILED, reason=error, error=error, error_code="UserError"
            )
        elif Status.CANCELED in statuses:
            moved = Run.objects.move(run_id, to=Status.CANCELED, reason="a step was canceled")
        else:
            moved = Run.objects.move(run_id, to=Status.COMPLETED)
        return moved or Run.objects.move(run_id, to=Status.CANCELED)


def _first_failure(steps: list[tuple[str, str, str]]) -> str:
    """The error of a run is that of the step that failed first."""
    name, error = next((name, error) for status, name, error in steps if status == Status.FAILED)
    return f"Step {name} failed: {error}"


def expire(run_id: int) -> Counter:
    """End a run whose time is up: what it holds is stopped, and it fails."""
    text = "The run's time-out has passed."
    Run.objects.filter(pk=run_id, error_code="", finished_at=None).exclude(
        status=Status.CANCEL_REQUESTED
    ).update(error=text, error_code="TimedOut", updated_at=F("updated_at"))
    return advance(run_id)

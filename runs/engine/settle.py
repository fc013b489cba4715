"""What follows from the end of a step: its next attempt, the steps it lets go, the end of its run."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from runs import storage
from runs.engine import storage_cleanup
from runs.engine.claim import Claim
from runs.models import Kind, Outcome, Run, StepAttempt, StepRun
from runs.states import HELD, TERMINAL, Status
from runs.tracking import facts
from studio.core.db.transactions import write_transaction
from studio.core.db.writable import writable

WAITING = (Status.NOT_STARTED, Status.QUEUED)
# A step may lose its worker this often before it is taken to be the reason.
LOST_LIMIT = 2
MAX_DELAY_SECONDS = 3600
MAX_ERROR = 4000
MAX_CODE = Run._meta.get_field("error_code").max_length


@dataclass(frozen=True)
class Finished:
    """`written`: the end was ours to write. `retry_seconds`: when the next try may start, if there is
    one. `is_plain`: the step completed and no other waits for it. `ahead`: what was claimed with it."""

    written: bool
    retry_seconds: float | None = None
    is_plain: bool = False
    ahead: Claim | None = None

    def __bool__(self) -> bool:
        return self.written


def finish(
    claim: Claim,
    outcome: Outcome,
    *,
    exit_code: int | None = None,
    error: str = "",
    code: str = "UserError",
    at: datetime | None = None,
    may_be_reused: bool = False,
    is_last: bool = False,
    ran_from: datetime | None = None,
    step_changes: Mapping[str, Any] | None = None,
    claim_ahead: Callable[[], Claim | None] = lambda: None,
    on_complete: Callable[[], Mapping[str, Any]] = dict,
) -> Finished:
    """Write the end of one attempt; nothing is written if it is not ours any more: the step may be
    held by a later attempt, or wait for one. `is_last`: no other step waits for this one.
    `ran_from`: when its process started, if that is not written yet. `claim_ahead` is called after a
    plain end: one commit for both, which is half of what they cost. Texts may be any that a script
    can say: what no column holds is replaced. `on_complete` writes with a completion, or not at all, and
    returns changes of the step's row."""
    at = at or timezone.now()
    error, code = writable(error)[:MAX_ERROR], writable(code)[:MAX_CODE]
    changes = {**writable(dict(step_changes or {})), "exit_code": exit_code}
    move = partial(
        Run.objects.move,
        claim.step_id,
        attempt=claim.attempt,
        at=at,
        ran_from=ran_from,
        only=HELD,
    )
    with write_transaction():
        moved, pause = False, None
        if outcome == Outcome.COMPLETED:
            moved = _complete(move, ran_from)
            changes["is_reuse_source"] = may_be_reused and moved
            changes |= on_complete() if moved else {}
            if not moved and move(to=Status.FAILED, reason="the script declared its run failed"):
                moved, outcome = True, Outcome.FAILED
        elif outcome == Outcome.INTERRUPTED:
            moved = move(to=Status.QUEUED, reason="interrupted; it will be started again")
            pause = 0.0 if moved else None
        elif outcome != Outcome.CANCELED:
            pause, retry = _next_try(claim, outcome, at)
            if pause is not None:
                moved = move(to=Status.QUEUED, reason=f"{outcome.label}: {error}")
                changes |= retry if moved else {}
                pause = pause if moved else None
            else:
                moved = move(to=Status.FAILED, reason=error, error=error, error_code=code)
        # Asked to cancel meanwhile, by somebody or by the failure of another step: that stands.
        moved = moved or move(to=Status.CANCELED, only=_may_cancel(outcome), reason=error)
        if pause is not None:
            changes.pop("outputs", None)  # the next attempt leaves its own
            # What was decided to count goes on to do so: the next attempt only delivers it.
            changes.pop("delivery", None)
            if not StepRun.objects.filter(pk=claim.step_id, delivery__isnull=False).exists():
                storage_cleanup.abandon(claim, at=at)
                gone = facts.withdraw(claim.step_id, claim.attempt)
                transaction.on_commit(partial(storage.remove_blobs, gone), robust=True)
        if moved:
            StepRun.objects.filter(pk=claim.step_id).update(**changes)
        _close(claim, outcome, at=at, exit_code=exit_code, error=error)
        is_plain = moved and is_last and outcome == Outcome.COMPLETED
        return Finished(moved, pause, is_plain, claim_ahead() if is_plain else None)


def _may_cancel(outcome: Outcome) -> frozenset[Status]:
    """A worker that says Canceled has seen that somebody asked; all else must be found asked for."""
    asked = frozenset({Status.CANCEL_REQUESTED})
    return asked | HELD if outcome == Outcome.CANCELED else asked


def not_before_its_start(at: datetime) -> Greatest:
    """The end of an attempt: the machine that it started on may be ahead of this one."""
    return Greatest(F("started_at"), Value(at, output_field=DateTimeField()))


def _close(claim: Claim, outcome: Outcome, *, at: datetime, **ended: Any) -> None:
    """Write the end of an attempt to its own row, whatever became of the step."""
    attempt = StepAttempt.objects.filter(step_id=claim.step_id, number=claim.attempt)
    closed = attempt.filter(finished_at=None).update(
        finished_at=not_before_its_start(at), outcome=outcome, **ended
    )
    if not closed and outcome != Outcome.LOST:
        # It was taken for lost, but whoever says so here lives: it had paused.
        attempt.filter(outcome=Outcome.LOST).update(outcome=Outcome.INTERRUPTED)
        storage_cleanup.look_again(claim, at=at)


def _complete(move: Callable[..., bool], ran_from: datetime | None) -> bool:
    """True unless the script has told, through the wire, that its run failed."""
    move = partial(move, to=Status.COMPLETED, unless_failed=True)
    # Nearly always from this one, which is cheaper to try than to look up.
    return move(was=Status.PREPARING if ran_from else Status.RUNNING) or move()


def _next_try(claim: Claim, outcome: Outcome, at: datetime) -> tuple[float | None, dict[str, Any]]:
    """Seconds to the next try and what to write for it; None when there is none.

    A lost worker uses up no retry; a failure doubles the wait before the next try.
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


def advance(run_id: int, *, after: Finished | None = None) -> Counter[str]:
    """Let go what the ended steps of a run allow, end the run when all is over. `after` is the end
    that makes it worth looking, if there is one.

    Returns how many steps became ready, per queue. It may be called at any time and as often as one
    likes. The end of a step must be committed before: of two parents that finish together, the later
    then sees both.
    """
    if after is not None and after.is_plain:
        live = Run.objects.filter(parent_id=run_id, kind=Kind.STEP).live()
        if live.exists():
            return Counter()  # nothing but the end of the run could follow
    steps = _steps(run_id)
    if not steps or steps[0].run_status in TERMINAL:
        return Counter()
    reason = _why_cancel(steps)
    if reason:
        cancel_steps(run_id, reason)
        steps = _steps(run_id)
        ready: Counter[str] = Counter()
    else:
        ready = _let_go(steps)
    if all(step.status in TERMINAL for step in steps):
        settle(run_id, steps)
    return ready


class _Step(NamedTuple):
    """A step's row, with what its run says on each."""

    pk: int
    status: str
    node_id: str
    needs: list[str]
    target: str
    name: str
    run_status: str
    run_error: str
    run_goes_on: bool


def _steps(run_id: int) -> list[_Step]:
    rows = (
        Run.objects.filter(parent_id=run_id, kind=Kind.STEP)
        .order_by("number")
        .values_list(
            "pk",
            "status",
            "step__node_id",
            "step__needs",
            "target",
            "name",
            "parent__status",
            "parent__error_code",
            "parent__pipeline_run__continue_on_step_failure",
        )
    )
    return [_Step(*row) for row in rows]


def _why_cancel(steps: list[_Step]) -> str:
    """Why the rest of a run is to be canceled; empty when it goes on."""
    if steps[0].run_status == Status.CANCEL_REQUESTED:
        return "the run was canceled"
    if steps[0].run_error:
        return "the run has failed"
    if steps[0].run_goes_on:
        return ""
    failed = (step.name for step in steps if step.status == Status.FAILED)
    return next((f"step {name} failed" for name in failed), "")


def _let_go(steps: list[_Step]) -> Counter[str]:
    """Queue what waits for nothing any more; skip what waits for something that will never be.

    Skipped steps are marked so in `steps`.
    """
    places = {step.node_id: place for place, step in enumerate(steps)}
    queue, skip = {}, []
    for place, step in enumerate(steps):
        if step.status != Status.NOT_STARTED:
            continue
        parents = [steps[places[need]].status for need in step.needs]
        if any(parent in TERMINAL and parent != Status.COMPLETED for parent in parents):
            # Parents come before their children, so this reaches all descendants.
            steps[place] = step._replace(status=Status.SKIPPED)
            skip.append(step.pk)
        elif all(parent == Status.COMPLETED for parent in parents):
            queue[step.pk] = step.target
    if skip:
        Run.objects.move_all(skip, to=Status.SKIPPED, reason="a step it waits for did not complete")
    if not queue:
        return Counter()
    moved = Run.objects.move_all(
        queue, to=Status.QUEUED, was=Status.NOT_STARTED, reason="all it waits for completed"
    )
    return Counter(queue[pk] for pk in moved)


def cancel_steps(run_id: int, reason: str, *, at: datetime | None = None) -> None:
    """Cancel what has not started; ask the workers to cancel what they hold."""
    at = at or timezone.now()
    with write_transaction():
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


def settle(run_id: int, steps: list[_Step]) -> bool:
    """End a run whose steps have all ended; True if we did it."""
    statuses = {step.status for step in steps}
    run = steps[0]
    if run.run_status == Status.CANCEL_REQUESTED:
        return Run.objects.move(run_id, to=Status.CANCELED)
    if run.run_error:
        moved = Run.objects.move(run_id, to=Status.FAILED, reason=run.run_error)
    elif Status.FAILED in statuses:
        error, code = _first_failure(run_id)
        moved = Run.objects.move(
            run_id, to=Status.FAILED, reason=error, error=error, error_code=code
        )
    elif Status.CANCELED in statuses:
        moved = Run.objects.move(run_id, to=Status.CANCELED, reason="a step was canceled")
    else:
        moved = Run.objects.move(run_id, to=Status.COMPLETED, was=Status(run.run_status))
    # Somebody asked to cancel it after we had read it.
    return moved or Run.objects.move(run_id, to=Status.CANCELED, was=Status.CANCEL_REQUESTED)


def _first_failure(run_id: int) -> tuple[str, str]:
    """The error of a run is that of the step that failed first, and so is its code."""
    failed = Run.objects.filter(parent_id=run_id, kind=Kind.STEP, status=Status.FAILED)
    first = failed.order_by("finished_at", "number").values_list("name", "error", "error_code")
    name, error, code = first[0]
    return f"Step {name} failed: {error}", code or "UserError"


def expire(run_id: int) -> Counter[str]:
    """End a run whose time is up: what it holds is stopped, and it fails."""
    text = "The run's time-out has passed."
    Run.objects.filter(pk=run_id, error_code="", finished_at=None).exclude(
        status=Status.CANCEL_REQUESTED
    ).update(error=text, error_code="TimedOut", updated_at=F("updated_at"))
    return advance(run_id)

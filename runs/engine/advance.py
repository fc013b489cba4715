"""After a step ended: queue the steps that can start now, or end the run."""

from collections import Counter
from typing import NamedTuple

from runs.engine.cancel import cancel_steps
from runs.engine.finish import Finished
from runs.models import Kind, Run
from runs.states import TERMINAL, Status


def advance(run_id: int, *, after: Finished | None = None) -> Counter[str]:
    """Queue the steps that can start now, and end the run when all its steps have ended.

    `after` is the end of the step that caused this call, if any. Returns how many steps became ready,
    per queue. Safe to call at any time and repeatedly. Commit the end of a step before calling this:
    of two parents that finish together, the later call then sees both.
    """
    if after is not None and after.is_plain:
        live = Run.objects.filter(parent_id=run_id, kind=Kind.STEP).live()
        if live.exists():
            return Counter()  # no step waits for this one, and others still run
    steps = _steps(run_id)
    if not steps or steps[0].run_status in TERMINAL:
        return Counter()
    reason = _why_cancel(steps)
    if reason:
        cancel_steps(run_id, reason)
        steps = _steps(run_id)
        ready: Counter[str] = Counter()
    else:
        ready = _queue_ready(steps)
    if all(step.status in TERMINAL for step in steps):
        _end_run(run_id, steps)
    return ready


class _Step(NamedTuple):
    """A step's row, joined with the columns of its run."""

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
    """Why the remaining steps must be canceled; empty if the run continues."""
    if steps[0].run_status == Status.CANCEL_REQUESTED:
        return "the run was canceled"
    if steps[0].run_error:
        return "the run has failed"
    if steps[0].run_goes_on:
        return ""
    failed = (step.name for step in steps if step.status == Status.FAILED)
    return next((f"step {name} failed" for name in failed), "")


def _queue_ready(steps: list[_Step]) -> Counter[str]:
    """Queue steps whose parents all completed; skip steps that have a parent that never will.

    Skipped steps are also updated in `steps`.
    """
    places = {step.node_id: place for place, step in enumerate(steps)}
    queue, skip = {}, []
    for place, step in enumerate(steps):
        if step.status != Status.NOT_STARTED:
            continue
        parents = [steps[places[need]].status for need in step.needs]
        if any(parent in TERMINAL and parent != Status.COMPLETED for parent in parents):
            # Parents come before their children in `steps`, so this reaches all descendants.
            steps[place] = step._replace(status=Status.SKIPPED)
            skip.append(step.pk)
        elif all(parent == Status.COMPLETED for parent in parents):
            queue[step.pk] = step.target
    if skip:
        Run.objects.transition(
            *skip, to=Status.SKIPPED, reason="a step it depends on did not complete"
        )
    if not queue:
        return Counter()
    moved = Run.objects.transition(
        *queue, to=Status.QUEUED, was=Status.NOT_STARTED, reason="all steps it depends on completed"
    )
    return Counter(queue[pk] for pk in moved)


def _end_run(run_id: int, steps: list[_Step]) -> bool:
    """End a run whose steps have all ended; True if we did it."""
    statuses = {step.status for step in steps}
    run = steps[0]
    if run.run_status == Status.CANCEL_REQUESTED:
        return bool(Run.objects.transition(run_id, to=Status.CANCELED))
    if run.run_error:
        moved = Run.objects.transition(run_id, to=Status.FAILED, reason=run.run_error)
    elif Status.FAILED in statuses:
        error, code = _first_failure(run_id)
        moved = Run.objects.transition(
            run_id, to=Status.FAILED, reason=error, error=error, error_code=code
        )
    elif Status.CANCELED in statuses:
        moved = Run.objects.transition(run_id, to=Status.CANCELED, reason="a step was canceled")
    else:
        moved = Run.objects.transition(run_id, to=Status.COMPLETED, was=Status(run.run_status))
    # If it did not move, somebody asked to cancel the run after we read it.
    return bool(
        moved or Run.objects.transition(run_id, to=Status.CANCELED, was=Status.CANCEL_REQUESTED)
    )


def _first_failure(run_id: int) -> tuple[str, str]:
    """The run's error and error code, taken from the step that failed first."""
    failed = Run.objects.filter(parent_id=run_id, kind=Kind.STEP, status=Status.FAILED)
    first = failed.order_by("finished_at", "number").values_list("name", "error", "error_code")
    name, error, code = first[0]
    return f"Step {name} failed: {error}", code or "UserError"

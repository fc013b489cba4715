"""Cancel a run."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from runs import engine
from runs.models import Kind, Run
from runs.states import IN_PROGRESS, TERMINAL, WAITING, Status
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import Refused


def cancel(actor: Actor, run: Run, *, over_ok: bool = False) -> None:
    """Cancel a run, and what its script has submitted or begun below it. Waiting steps are canceled
    now, running ones get a grace period from their worker.

    Canceling twice changes nothing. A run that is over is refused, unless `over_ok`: for callers
    that could not know.
    """
    require(actor, "cancel", run)
    run.refresh_from_db(fields=["status"])
    if run.status in TERMINAL:
        if over_ok:
            return
        raise Refused(
            _("Run %(run)s is over already: %(status)s.")
            % {"run": run, "status": run.get_status_display()}
        )
    with transaction.atomic():
        canceled = _cancel_tree(actor, run)
    advance(canceled)
    run.refresh_from_db()


def cancel_all(actor: Actor, runs: Iterable[Run]) -> int:
    """Cancel all of these runs or, if one is refused, none. Those that have ended meanwhile stay as
    they are; returns the number of the others."""
    rows = Run.objects.live().filter(pk__in=[run.pk for run in runs])
    found = list(rows.select_related("pipeline_run").order_by("pk"))
    for run in found:
        require(actor, "cancel", run)
    with transaction.atomic():
        canceled = [each for run in found for each in _cancel_tree(actor, run)]
    advance(canceled)
    return len(found)


def _cancel_tree(actor: Actor, run: Run) -> list[Run]:
    reason = "canceled by " + actor.name
    _cancel(run, reason)
    # After the run itself: from now on nothing can be submitted below it.
    below = cancel_below(run, reason)
    audit.record(actor, "cancel", run)
    return [run, *below]


def cancel_below(run: Run, reason: str) -> list[Run]:
    """Cancel the live runs that a script has submitted or begun below its run; `advance` them once that
    has committed."""
    below = Run.objects.live().filter(pk__in=Run.objects.below(run)).exclude(pk=run.pk)
    found = list(below.exclude(kind=Kind.STEP).select_related("pipeline_run").order_by("pk"))
    for each in found:
        _cancel(each, reason)
    return found


def advance(runs: Iterable[Run]) -> None:
    """Let the canceled runs end whose steps are over."""
    for run in runs:
        if run.is_ours:
            engine.advance(run.owner_id if run.kind == Kind.STEP else run.pk)


def _cancel(run: Run, reason: str) -> None:
    if run.kind == Kind.STEP:
        _cancel_step(run, reason)
    elif run.is_ours and not engine.take_unsubmitted(run.pk):
        _ask(run, reason)
    else:  # without steps, nothing else would end it
        Run.objects.transition(run.pk, to=Status.CANCELED, reason=reason)


def _ask(run: Run, reason: str) -> None:
    Run.objects.transition(
        run.pk, to=Status.CANCEL_REQUESTED, reason=reason, cancel_requested_at=timezone.now()
    )
    engine.cancel_steps(run.pk, reason)


def _cancel_step(run: Run, reason: str) -> None:
    if not Run.objects.transition(run.pk, to=Status.CANCELED, only=WAITING, reason=reason):
        Run.objects.transition(
            run.pk,
            to=Status.CANCEL_REQUESTED,
            only=IN_PROGRESS,
            reason=reason,
            cancel_requested_at=timezone.now(),
        )

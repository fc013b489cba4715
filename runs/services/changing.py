"""Changes of existing runs: cancel, resubmit, rename, tag."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone
from django.utils.translation import gettext as _

from runs import engine, script_runs
from runs.models import Kind, Run, Source
from runs.querysets import RunQuerySet
from runs.services.tracking import attempt_of
from runs.states import BEFORE_BY_CLIENT, IN_PROGRESS, TERMINAL, Status
from runs.submission import Key, RunSettings, Submission, submit
from runs.submission.target import target_of
from runs.tracking.tags import merge
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import Refused

WAITING = (Status.NOT_STARTED, Status.QUEUED)


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
        _cancel(run, "canceled by " + actor.name)
        below = _live_below(
            run
        )  # after the run itself: from now on nothing can be submitted below it
        for each in below:
            _cancel(each, "canceled by " + actor.name)
        audit.record(actor, "cancel", run)
    _advance([run, *below])
    run.refresh_from_db()


def _live_below(run: Run) -> list[Run]:
    """Live runs that a script has submitted or begun below its run, without steps."""
    below = Run.objects.live().filter(pk__in=Run.objects.below(run)).exclude(pk=run.pk)
    return list(below.exclude(kind=Kind.STEP).select_related("pipeline_run").order_by("pk"))


def _advance(runs: Iterable[Run]) -> None:
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


def resubmit(
    actor: Actor,
    run: Run,
    settings: RunSettings | None = None,
    *,
    strict: bool = False,
    key: Key | None = None,
) -> Run:
    """Run the same again with other `settings`, else with the same."""
    if run.kind == Kind.STEP or not run.is_ours:
        raise Refused(
            _("Only a run of a pipeline or of a submitted script can be submitted again.")
        )
    same = RunSettings.of(run).opened()
    settings = same if settings is None else replace(settings, properties=same.properties)
    submission = Submission(
        target_of(run),
        settings,
        source=Source.RESUBMIT,
        strict=strict,
        key=key,
        original=run.pipeline_run,
    )
    return submit(actor, submission)


def edit(
    actor: Actor,
    run: Run,
    *,
    tags: Mapping[str, Any] | None = None,
    remove_tags: Sequence[str] | None = None,
    properties: Mapping[str, Any] | None = None,
    display_name: str | None = None,
    description: str | None = None,
    status: Status | None = None,
    at: datetime | None = None,
    error: str | None = None,
    error_code: str = "",
) -> Run:
    """Merge tags and properties, rename, describe. A client's own run also takes the status that
    the client reports, as of `at`, and may begin again after its end.

    The SDK's `Run.cancel()` reports that a run is canceled. For runs that we execute this is a
    request to cancel; for a client's own run, what it has submitted is canceled too.
    """
    require(actor, "tag", run)
    if display_name is not None or description is not None or status == Status.CANCELED:
        require(actor, "change", run)
    if properties or error is not None or status not in (None, Status.CANCELED):
        require(actor, "drive", run)
    below = []
    if status == Status.CANCELED and run.is_ours:
        cancel(actor, run, over_ok=True)
    columns = {"display_name": display_name, "description": description}
    columns = {key: value for key, value in columns.items() if value is not None}
    changed = {key: value for key, value in columns.items() if getattr(run, key) != value}
    with transaction.atomic():
        attempt = attempt_of(actor, run)
        if tags or remove_tags or properties or columns:
            merge(
                run.pk,
                attempt=attempt,
                tags=_texts(tags),
                remove_tags=list(remove_tags or ()),
                properties=_texts(properties),
                **columns,
            )
        if changed:
            before = {key: getattr(run, key) for key in changed}
            verb = "rename" if "display_name" in changed else "edit"
            audit.record(actor, verb, run, before=before, after=changed)
        if error is not None:
            # The reason of a failure comes before the failure. A pipeline's error comes from its
            # steps; a step of ours with an error code fails.
            code = {} if run.is_ours else {"error_code": error_code}
            _of_script(run).update(error=error, **code)
        if status is not None and not run.is_ours:
            if status == Status.RUNNING and run.status in TERMINAL:
                Run.objects.transition(
                    run.pk,
                    to=Status.RUNNING,
                    table=BEFORE_BY_CLIENT,
                    only=TERMINAL,
                    reason="begun again by its client",
                    error="",
                    error_code="",
                )
            now = timezone.now()
            # A client's end counts, also if the run was begun again after it.
            told: dict[str, Any] = {"updated_at": now} | (
                {"finished_at": at} if at and status in TERMINAL else {}
            )
            moved = Run.objects.transition(
                run.pk, to=status, reason="told by its client", at=at or now, **told
            )
            if moved and status == Status.CANCELED:
                below = _live_below(run)
                for each in below:
                    _cancel(each, f"{run} was canceled")
        elif status == Status.FAILED:
            # A step that reports its own failure: its worker ends it so.
            _of_script(run).update(
                error=Coalesce(
                    NullIf("error", Value("")), Value("The script declared its run failed.")
                ),
                error_code="UserError",
            )
    _advance(below)
    run.refresh_from_db()
    return run


def _of_script(run: Run) -> RunQuerySet:
    """The live run that ends when the script of `run` says so."""
    return (script_runs.steps_of(run) if run.is_ours else Run.objects.filter(pk=run.pk)).live()


def _texts(given: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(key): "" if value is None else str(value) for key, value in (given or {}).items()}

"""Change what a run says of itself: names, tags, properties, and the status of a client's own run."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone

from runs import script_runs
from runs.models import Run
from runs.querysets import RunQuerySet
from runs.services.cancel import advance, cancel, cancel_below
from runs.services.tracking import attempt_of
from runs.states import BEFORE_BY_CLIENT, TERMINAL, Status
from runs.tracking.tags import merge, texts
from studio.core import audit
from studio.core.access import Actor, require


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
    below: list[Run] = []
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
                tags=texts(tags),
                remove_tags=list(remove_tags or ()),
                properties=texts(properties),
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
                below = cancel_below(run, f"{run} was canceled")
        elif status == Status.FAILED:
            # A step that reports its own failure: its worker ends it so.
            _of_script(run).update(
                error=Coalesce(
                    NullIf("error", Value("")), Value("The script declared its run failed.")
                ),
                error_code="UserError",
            )
    advance(below)
    run.refresh_from_db()
    return run


def _of_script(run: Run) -> RunQuerySet:
    """The live run that ends when the script of `run` says so."""
    return (script_runs.steps_of(run) if run.is_ours else Run.objects.filter(pk=run.pk)).live()

"""Writes of clients about runs, in one transaction: create or update a run, several runs, several
kinds of data."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from runs.models import Experiment, Run
from runs.services.edit import edit
from runs.services.tracking import log_metrics, log_params, make_child
from studio.core.access import Actor
from studio.core.errors import Conflict, NotFound


def write_run(
    actor: Actor,
    *,
    uuid: str,
    experiment: Experiment | None = None,
    parent: str | None = None,
    name: str = "",
    target: str = "",
    **changes: Any,
) -> Run:
    """Update the run of this id as `edit` does, or create it: below the run `parent`, else on its
    own in `experiment`."""
    run = _find(actor, uuid, experiment)
    if run is None:
        try:
            return make_child(
                actor,
                uuid=uuid,
                parent=_parent(actor, uuid, experiment, parent),
                experiment=experiment,
                name=name,
                target=target,
                **changes,
            )
        except Conflict:  # another call has just created it, or it is somebody else's
            run = _find(actor, uuid, experiment)
            if run is None:
                raise
    return edit(actor, run, **changes)


def _find(actor: Actor, uuid: str, experiment: Experiment | None = None) -> Run | None:
    try:
        runs = Run.objects.visible_to(actor).filter(uuid=UUID(uuid))
    except ValueError:
        return None
    return (runs if experiment is None else runs.filter(experiment=experiment)).first()


def _parent(
    actor: Actor, uuid: str, experiment: Experiment | None, parent: str | None
) -> Run | None:
    if parent is None and experiment is not None:
        return None
    found = None if parent is None else _find(actor, parent)
    if found is None:
        missing = uuid if parent is None else parent
        raise NotFound(f"Run with ID {missing} not found in workspace.")
    return found


@transaction.atomic
def write_runs(actor: Actor, rows: Iterable[Mapping[str, Any]]) -> list[Run]:
    """`write_run` for each of `rows`."""
    return [write_run(actor, **row) for row in rows]


@transaction.atomic
def edit_runs(actor: Actor, rows: Iterable[tuple[Run, Mapping[str, Any]]]) -> None:
    """`edit` for several runs, each with its changes."""
    for run, changes in rows:
        edit(actor, run, **changes)


@transaction.atomic
def log_batch(
    actor: Actor,
    run: Run,
    *,
    params: Mapping[str, str] | None = None,
    metrics: Sequence[Mapping[str, Any]] = (),
    **changes: Any,
) -> None:
    """`log_params`, `edit` and `log_metrics` of one run."""
    if params:
        log_params(actor, run, params)
    if changes:
        edit(actor, run, **changes)
    if metrics:
        log_metrics(actor, run, metrics)

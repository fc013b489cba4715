"""What clients report of their runs: child runs, metrics, params, artifacts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from runs import script_runs
from runs.models import Artifact, Experiment, Kind, Run, RunAttribute
from runs.naming import run_name
from runs.states import Status
from runs.tracking import artifacts, model_files
from runs.tracking.author import Author, lock
from runs.tracking.metrics import add_metrics
from runs.tracking.tags import attribute, merge
from studio.core.access import Actor, require
from studio.core.db.transactions import write_transaction
from studio.core.errors import BadValue, Conflict, Forbidden
from studio.storage.failures import place_for
from studio.storage.store import Readable, studio_store

# Prefix of the properties that MLflow calls params.
PARAM = "mlflow.param."


def make_child(
    actor: Actor,
    *,
    uuid: str | UUID,
    experiment: Experiment | None = None,
    parent: Run | None = None,
    name: str = "",
    target: str = "",
    tags: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    display_name: str = "",
    description: str = "",
    status: Status | None = None,
    at: datetime | None = None,
) -> Run:
    """Create a run that its client names and drives: below `parent`, or on its own in `experiment`.
    It has had `status` since `at`."""
    require(actor, "drive", parent or experiment)
    if actor.run_uuid is not None and parent is None:
        raise BadValue(
            "A step starts child runs only: name the run above it, as MLflow does for"
            " start_run(nested=True) within the step's own run.",
            field="parent",
        )
    try:
        uuid = uuid if isinstance(uuid, UUID) else UUID(uuid)
    except ValueError:
        raise BadValue(f"{uuid!r} is not the id of a run: use a UUID.", field="run") from None
    if experiment is None:
        if parent is None:
            raise ValueError("A run below no other needs an experiment.")
        experiment = parent.experiment
    if actor.run_uuid is not None and parent is not None and experiment != parent.experiment:
        raise BadValue("A step's child runs are in its own experiment.", field="experiment")
    try:
        with transaction.atomic():
            if parent is not None:
                attempt_of(actor, parent)
            # A new run restores an archived experiment; a child run does not.
            back = {"archived_at": None} if parent is None else {}
            Experiment.objects.filter(pk=experiment.pk).update(runs_made=F("runs_made") + 1, **back)
            experiment.refresh_from_db(fields=["runs_made"])
            run = Run.objects.create(
                uuid=uuid,
                workspace=actor.workspace,
                experiment=experiment,
                kind=Kind.SCRIPT if parent is None else Kind.CHILD,
                parent=parent,
                number=experiment.runs_made,
                attempt=actor.run_attempt,
                name=name,
                display_name=display_name or name or run_name(),
                description=description,
                target=target,
                submitted_by=actor.name,
                user=actor.user,
                created_at=min(
                    at or timezone.now(), timezone.now()
                ),  # it began before it was reported
            )
            run.root = run if parent is None else parent.root
            run.save(update_fields=["root"])
            merge(run.pk, tags=tags, properties=properties)
            if status not in (None, Status.NOT_STARTED):
                Run.objects.transition(run.pk, to=status, reason="told by its client", at=at)
    except IntegrityError as error:
        raise Conflict(f"The id {uuid} is taken already.") from error
    run.refresh_from_db()
    return run


def attempt_of(actor: Actor, *runs: Run) -> int | None:
    """The attempt that reports on `runs` with its own token, locked until the transaction ends; None
    for everybody else."""
    author = _author(actor)
    if author is None:
        return None
    attempt = lock(author, *(run.pk for run in runs))
    if attempt is None:
        raise Forbidden("The attempt that this token was made for is over.")
    return attempt


def _author(actor: Actor) -> Author | None:
    if actor.run_uuid is None or not actor.run_attempt:
        return None
    own = Run.objects.only("kind").get(uuid=actor.run_uuid)
    step = own if own.kind == Kind.STEP else script_runs.steps_of(own).get()
    return Author(step.pk, actor.run_attempt)


def log_params(actor: Actor, run: Run, params: Mapping[str, str]) -> None:
    """Store params of a run, by which lists of runs can be searched. A param cannot change."""
    require(actor, "track", run)
    with write_transaction():
        attempt = attempt_of(actor, run)
        known = Run.objects.select_for_update().only("properties").get(pk=run.pk).properties
        for key, value in params.items():
            before = known.get(f"{PARAM}{key}", value)
            if before != value:
                raise BadValue(
                    f"Changing param values is not allowed. Param with key={key!r} was already"
                    f" logged with value={before!r:.200} for run ID={str(run.uuid)!r}.",
                    target=key,
                )
        new = {key: value for key, value in params.items() if f"{PARAM}{key}" not in known}
        params = {f"{PARAM}{key}": value for key, value in new.items()}
        merge(run.pk, properties=params, attempt=attempt)
        RunAttribute.objects.bulk_create(
            attribute(run.pk, "parameter", key, value) for key, value in new.items()
        )


def log_metrics(actor: Actor, run: Run, metrics: Sequence[Mapping[str, Any]]) -> None:
    """Append to metrics of a run: `{"name", "points", "columns", "properties"}` each, with points
    `{"data", "step", "point_uuid", "created_at"}`. All or nothing."""
    require(actor, "track", run)
    with transaction.atomic():
        add_metrics(run.pk, metrics, attempt=attempt_of(actor, run))


def keep_artifact(actor: Actor, run: Run, *, path: str, stream: Readable) -> Artifact:
    """Store a stream as an artifact of a run, replacing one at the same path."""
    require(actor, "track", run)
    path = artifacts.checked(path)
    blob = artifacts.blob_of(run.uuid, path, _author(actor))
    with place_for(path):
        size = studio_store().write(blob, stream, writing=model_files.writing(run, path))
    with write_transaction():
        attempt = attempt_of(actor, run)
        return artifacts.record_artifact(run.pk, path=path, blob=blob, size=size, attempt=attempt)


def append_to_artifact(
    actor: Actor, run: Run, *, path: str, stream: Readable, at: int | None
) -> Artifact:
    """Append a stream to an artifact; if `at` is given, the artifact must have that many bytes."""
    require(actor, "track", run)
    path = artifacts.checked(path)
    blob = artifacts.blob_at(run.uuid, path)
    writing = model_files.writing(run, path)
    size = studio_store().append(blob, stream, at=at, writing=writing)
    with write_transaction():
        attempt_of(actor, run)
        return artifacts.record_appended(run.pk, path=path, blob=blob, size=size)

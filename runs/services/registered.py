"""Registered models (wire.md 9.8): names whose versions point to artifacts of runs, or to
uploads."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max

from endpoints.services import checks
from runs.models import Artifact, Asset, RegisteredModel, Run
from runs.services.tracking import attempt_of
from runs.tracking import local_uploads, model_files
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import BadValue, Conflict, Forbidden
from studio.core.models import Workspace
from studio.storage.failures import place_for
from studio.storage.store import Readable, studio_store

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,254}$")


@transaction.atomic
def create_asset(
    actor: Actor,
    *,
    name: str,
    paths: Sequence[str],
    run: Run | None = None,
    container: str = "",
    tags: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
) -> Asset:
    """An asset of the artifacts at or below `paths`, each of which must contain some: artifacts of
    `run`, or uploads in `container`."""
    require(actor, "register", run)
    if run is None:
        local_uploads.lock(actor.workspace)
    for path in paths:
        if not any(
            kept == path or kept.startswith(f"{path}/")
            for kept in _kept(actor, run, container, path)
        ):
            where = f"Run {run.uuid}" if run else f"The container {container!r:.120}"
            raise BadValue(f"{where} has no artifact {path!r:.200}.", target="artifacts")
    place = (
        f"ExperimentRun/{run.data_container_id}" if run else f"{local_uploads.ORIGIN}/{container}"
    )
    return Asset.objects.create(
        workspace=actor.workspace,
        name=checks.text("name", name, longest=255),
        artifacts=[{"prefix": f"{place}/{path}"} for path in paths],
        run=run,
        tags=checks.document("tags", tags or {}),
        properties=checks.document("properties", properties or {}),
        attempt=attempt_of(actor, run) if run else None,
    )


def _kept(actor: Actor, run: Run | None, container: str, path: str) -> list[str]:
    if run is None:
        return local_uploads.paths(actor.workspace, container, path)
    kept = Artifact.objects.filter(run=run, path__startswith=path)
    return list(kept.values_list("path", flat=True)[:1000])


def keep_upload(actor: Actor, *, container: str, path: str, stream: Readable) -> int:
    """Store a file for a model without a run, while no asset has been made of its container.
    Returns its size."""
    require(actor, "register")
    require_open(actor.workspace, container)
    blob = local_uploads.blob_of(actor.workspace, container, path)
    with place_for(path):
        return studio_store().write(blob, stream, writing=_open(actor.workspace, container))


@contextmanager
def _open(workspace: Workspace, container: str) -> Iterator[None]:
    """Keeps the container open while a file changes: no asset can be made of it meanwhile."""
    with transaction.atomic():
        local_uploads.lock(workspace)
        require_open(workspace, container)
        yield


def require_open(workspace: Workspace, container: str) -> None:
    """A model's files never change: nothing is written to a container of which an asset was
    made."""
    if local_uploads.assets(workspace, local_uploads.checked_container(container)).exists():
        raise Conflict(f"The files of {container} belong to a model already.")


@transaction.atomic
def register_model(
    actor: Actor,
    *,
    name: str,
    asset: Asset,
    run: Run | None = None,
    description: str = "",
    tags: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    framework: str = "",
    details: Mapping[str, Any] | None = None,
) -> RegisteredModel:
    """Add a version to the name; the first is 1."""
    require(actor, "register", asset)
    if not NAME.match(name):
        raise ValidationError(
            {"name": ["A model's name has 1 to 255 letters, digits, dots, dashes, underscores."]}
        )
    attempt = attempt_of(actor, *filter(None, [asset.run]))
    if asset.run is not None:
        model_files.lock(asset.run.pk)
    versions = RegisteredModel.objects.filter(workspace=actor.workspace, name=name)
    highest = versions.aggregate(Max("number"))["number__max"] or 0
    try:
        with transaction.atomic():
            model = RegisteredModel.objects.create(
                workspace=actor.workspace,
                name=name,
                number=highest + 1,
                asset=asset,
                run=run or asset.run,
                description=checks.text("description", description),
                tags=checks.document("tags", tags or {}),
                properties=checks.document("properties", properties or {}),
                framework=checks.text("framework", framework, longest=255),
                details=checks.document("details", details or {}),
                created_by=actor.name,
                attempt=attempt,
            )
    except IntegrityError as error:
        raise Conflict(f"Model {name} was registered by somebody else just now.") from error
    audit.record(actor, "register", model, after={"version": model.number})
    return model


@transaction.atomic
def edit_model(
    actor: Actor,
    model: RegisteredModel,
    *,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> RegisteredModel:
    """Replace tags and description; properties can only be added."""
    _require_own(actor, model)
    if description is not None:
        model.description = checks.text("description", description)
    if tags is not None:
        model.tags = checks.document("tags", tags)
    model.properties = {**model.properties, **checks.document("properties", properties or {})}
    model.details = {**model.details, **checks.document("details", details or {})}
    model.save(update_fields=["description", "tags", "properties", "details"])
    return model


@transaction.atomic
def delete_model(actor: Actor, model: RegisteredModel) -> None:
    """Delete a model; its artifacts stay."""
    _require_own(actor, model)
    audit.record(actor, "delete", model)
    model.delete()


def _require_own(actor: Actor, model: RegisteredModel) -> None:
    """Whoever may register may change, but a step only what its own run registered."""
    require(actor, "register", model)
    if actor.run_uuid is not None and (model.run is None or model.run.uuid != actor.run_uuid):
        raise Forbidden("A step's own token changes only models of its own run.")

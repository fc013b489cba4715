"""Registered models: names whose versions point to artifacts that runs left (wire 9.3)."""

import re
from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max

from endpoints.services import checks
from runs.models import Artifact, Asset, RegisteredModel, Run
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import BadValue, Conflict

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,254}$")


@transaction.atomic
def create_asset(
    actor: Actor,
    *,
    name: str,
    run: Run,
    paths: Sequence[str],
    tags: Mapping | None = None,
    properties: Mapping | None = None,
) -> Asset:
    """An asset of the artifacts of `run` at or below `paths`, each of which must have some."""
    require(actor, "register", run)
    for path in paths:
        kept = Artifact.objects.filter(run=run, path__startswith=path)
        if not any(row.path == path or row.path.startswith(f"{path}/") for row in kept[:1000]):
            raise BadValue(f"Run {run.uuid} has no artifact {path!r:.200}.", target="artifacts")
    return Asset.objects.create(
        workspace=actor.workspace,
        name=checks.text("name", name, longest=255),
        artifacts=[{"prefix": f"ExperimentRun/{run.data_container_id}/{path}"} for path in paths],
        run=run,
        tags=checks.document("kvTags", tags or {}),
        properties=checks.document("properties", properties or {}),
    )


@transaction.atomic
def register_model(
    actor: Actor,
    *,
    name: str,
    asset: Asset,
    run: Run | None = None,
    description: str = "",
    tags: Mapping | None = None,
    properties: Mapping | None = None,
    framework: str = "",
    details: Mapping | None = None,
) -> RegisteredModel:
    """A further version of the name; the first is 1."""
    require(actor, "register", asset)
    if not NAME.match(name):
        raise ValidationError(
            {"name": ["A model's name has 1 to 255 letters, digits, dots, dashes, underscores."]}
        )
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
                tags=checks.document("kvTags", tags or {}),
                properties=checks.document("properties", properties or {}),
                framework=checks.text("framework", framework, longest=255),
                details=checks.document("model", details or {}),
                created_by=actor.name,
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
    tags: Mapping | None = None,
    properties: Mapping | None = None,
    details: Mapping | None = None,
) -> RegisteredModel:
    """Replace the tags and the description; properties are only ever added to."""
    require(actor, "register", model)
    if description is not None:
        model.description = checks.text("description", description)
    if tags is not None:
        model.tags = checks.document("kvTags", tags)
    model.properties = {**model.properties, **checks.document("properties", properties or {})}
    model.details = {**model.details, **checks.document("model", details or {})}
    model.save(update_fields=["description", "tags", "properties", "details"])
    return model


@transaction.atomic
def delete_model(actor: Actor, model: RegisteredModel) -> None:
    """The artifacts stay with their run."""
    require(actor, "register", model)
    audit.record(actor, "delete", model)
    model.delete()

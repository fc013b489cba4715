"""Pipeline endpoints: a name, numbered versions and the default among them (wire.md 6)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from endpoints.models import EndpointVersion, EntityStatus, PipelineEndpoint, PublishedPipeline
from endpoints.services import checks
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import Refused
from studio.core.revisable import lock, revise, write

NAME_TAKEN = gettext_lazy("A pipeline endpoint of this name exists already.")
NAME_UNFIT = gettext_lazy(
    "The name of a pipeline endpoint has no slashes and no control characters, and does not begin or end with a space."
)
VERSION_TAKEN = gettext_lazy("This pipeline is already a version of the endpoint.")


@transaction.atomic
def create_endpoint(
    actor: Actor,
    *,
    name: str,
    pipeline: PublishedPipeline,
    description: str = "",
    tags: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    uuid: UUID | None = None,
) -> PipelineEndpoint:
    """Create an endpoint with `pipeline` as version 0, its default."""
    require(actor, "publish", pipeline)
    _require_free(actor, name)
    endpoint = _written(
        lambda: PipelineEndpoint.objects.create(
            uuid=checks.chosen_uuid(actor, PipelineEndpoint, uuid),
            workspace=actor.workspace,
            name=name,
            description=checks.text("description", description or ""),
            tags=checks.document("tags", tags or {}),
            properties=checks.document("properties", properties or {}),
            created_by=actor.name,
            updated_by=actor.name,
        ),
        {"name": [NAME_TAKEN]},
    )
    version = _insert_version(actor, endpoint, pipeline, 0)
    write(actor, endpoint, default_version=version)
    audit.record(actor, "create", endpoint, after={"version 0": str(pipeline.uuid)})
    return endpoint


@transaction.atomic
def add_version(
    actor: Actor,
    endpoint: PipelineEndpoint,
    pipeline: PublishedPipeline,
    *,
    set_default: bool = False,
) -> EndpointVersion:
    """Add the next version. The endpoint's row is locked, so that two calls get different numbers;
    the unique constraint decides in the end."""
    require(actor, "publish", endpoint)
    require(actor, "publish", pipeline)
    lock(endpoint)
    if endpoint.versions.filter(pipeline=pipeline).exists():
        raise ValidationError({"pipeline": [VERSION_TAKEN]})
    version = _insert_version(actor, endpoint, pipeline, _next_number(endpoint))
    write(actor, endpoint)
    audit.record(actor, "add version", endpoint, after={"version": version.number})
    if set_default:
        _set_default(actor, endpoint, version)
    return version


@transaction.atomic
def set_default(actor: Actor, endpoint: PipelineEndpoint, version: EndpointVersion) -> None:
    require(actor, "edit", endpoint)
    _set_default(actor, endpoint, version)


def _set_default(actor: Actor, endpoint: PipelineEndpoint, version: EndpointVersion) -> None:
    if version.endpoint_id != endpoint.pk:
        raise ValidationError({"default_version": ["This is a version of another endpoint."]})
    if version.pk == endpoint.default_version_id:
        return
    if not version.pipeline.is_active:
        raise Refused(
            _("Version %(number)d of %(name)s is disabled: enable it, or choose another.")
            % {"number": version.number, "name": endpoint.name}
        )
    before = EndpointVersion.objects.filter(default_of=endpoint).first()
    write(actor, endpoint, default_version=version)
    audit.record(
        actor,
        "set default",
        endpoint,
        before={"version": before.number if before else None},
        after={"version": version.number},
    )


def configure(
    actor: Actor,
    endpoint: PipelineEndpoint,
    *,
    description: str | None = None,
    is_public: bool | None = None,
    is_strict: bool | None = None,
    tags: Mapping[str, Any] | None = None,
) -> PipelineEndpoint:
    """Change the endpoint's description, tags and switches; None leaves a value unchanged."""
    given = {
        "description": description,
        "is_public": is_public,
        "is_strict": is_strict,
        "tags": tags,
    }
    _change(actor, endpoint, {key: value for key, value in given.items() if value is not None})
    return endpoint


@transaction.atomic
def update_endpoint(
    actor: Actor,
    endpoint: PipelineEndpoint,
    *,
    etag: str | None = None,
    versions: Mapping[int, PublishedPipeline] | None = None,
    default_version: int | None = None,
    **changes: Any,
) -> PipelineEndpoint:
    """Apply a PUT of the whole entity. The client numbers new versions itself, so an old `etag` is
    refused: somebody else has changed the endpoint."""
    require(actor, "edit", endpoint)
    current = lock(endpoint, etag)
    if versions is not None:
        _merge_versions(actor, current, versions)
    if default_version is not None:
        found = current.versions.filter(number=default_version).select_related("pipeline").first()
        if found is None:
            raise ValidationError({"default_version": [f"There is no version {default_version}."]})
        _set_default(actor, current, found)
    _change(actor, current, changes)
    endpoint.refresh_from_db()
    return endpoint


def _merge_versions(
    actor: Actor, endpoint: PipelineEndpoint, posted: Mapping[int, PublishedPipeline]
) -> None:
    existing = {row.number: row for row in endpoint.versions.all()}
    missing = sorted(existing.keys() - posted.keys())
    if missing:
        raise ValidationError({"versions": [f"Version {missing[0]} cannot be removed."]})
    for number, pipeline in sorted(posted.items()):
        if number in existing:
            if existing[number].pipeline_id != pipeline.pk:
                raise ValidationError(
                    {"versions": [f"Version {number} is another pipeline already."]}
                )
            continue
        expected = _next_number(endpoint)
        if number != expected:
            raise ValidationError({"versions": [f"The next version is {expected}, not {number}."]})
        require(actor, "publish", pipeline)
        insert = partial(_insert_version, actor, endpoint, pipeline, number)
        _written(insert, {"versions": [VERSION_TAKEN]})
        write(actor, endpoint)
        audit.record(actor, "add version", endpoint, after={"version": number})


EDITABLE = {"name", "description", "status", "tags", "properties", "is_public", "is_strict"}


@transaction.atomic
def _change(actor: Actor, endpoint: PipelineEndpoint, changes: Mapping[str, Any]) -> None:
    require(actor, "edit", endpoint)
    unknown = changes.keys() - EDITABLE
    if unknown:
        raise TypeError(f"An endpoint has no {', '.join(sorted(unknown))} to change.")
    new = {key: _clean(key, value) for key, value in changes.items()}
    if new.get("name", endpoint.name) != endpoint.name:
        _require_free(actor, str(new["name"]))
    _written(lambda: revise(actor, endpoint, new), {"name": [NAME_TAKEN]})


def _clean(key: str, value: object) -> object:
    if key in ("tags", "properties"):
        return checks.document(key, value)
    if key in ("is_public", "is_strict"):
        return bool(value)
    if key == "status":
        if value not in EntityStatus.values:
            raise ValidationError({"status": [f"{value!r:.40} is not a status."]})
        return str(value)
    return checks.text(key, value)


def _check_name(name: str) -> None:
    """Check a name, which is part of addresses (`/endpoints/<name>/submit`) and must survive them
    unchanged."""
    checks.text("name", name, longest=255, required=True)
    if "/" in name or name in (".", "..") or name != name.strip() or not name.isprintable():
        raise ValidationError({"name": [NAME_UNFIT]})


def _require_free(actor: Actor, name: str) -> None:
    _check_name(name)
    if PipelineEndpoint.objects.filter(workspace=actor.workspace, name=name).exists():
        raise ValidationError({"name": [NAME_TAKEN]})


def _next_number(endpoint: PipelineEndpoint) -> int:
    highest = endpoint.versions.aggregate(Max("number"))["number__max"]
    return 0 if highest is None else highest + 1


def _insert_version(
    actor: Actor, endpoint: PipelineEndpoint, pipeline: PublishedPipeline, number: int
) -> EndpointVersion:
    return EndpointVersion.objects.create(
        endpoint=endpoint, number=number, pipeline=pipeline, added_by=actor.name
    )


T = TypeVar("T")


def _written(write: Callable[[], T], taken: Mapping[str, Any]) -> T:
    """The result of `write`; a violated unique constraint raises the sentence `taken` instead."""
    try:
        with transaction.atomic():
            return write()
    except IntegrityError as error:
        raise ValidationError(dict(taken)) from error

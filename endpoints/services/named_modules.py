"""Modules with a name and versions, which the SDK's ModuleStep puts into pipelines (wire.md 8.7)."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from endpoints.models import Module, ModuleStatus, ModuleVersion, NamedModule
from endpoints.services import checks
from endpoints.services.modules import create_module
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import Conflict, Disabled, Refused
from studio.core.revisable import lock, revise, write

RUNNABLE = "escloud"


@transaction.atomic
def create_named_module(actor: Actor, *, name: str, description: str = "") -> NamedModule:
    """Create a name that has no versions yet."""
    require(actor, "publish")
    name = checks.text("name", name, longest=255, required=True)
    named, is_new = NamedModule.objects.get_or_create(
        workspace=actor.workspace,
        name=name,
        defaults={
            "description": checks.text("description", description),
            "created_by": actor.name,
            "updated_by": actor.name,
        },
    )
    if not is_new:
        raise _taken(name)
    audit.record(actor, "create", named)
    return named


@transaction.atomic
def publish_module_version(
    actor: Actor,
    named: NamedModule,
    *,
    version: str = "",
    set_default: bool = False,
    category: str = "",
    tags: Mapping[str, Any] | None = None,
    **module: Any,
) -> ModuleVersion:
    """Add a version to `named`; `module` holds the arguments of `create_module`. Without `version`
    it gets the next whole number. The row of the name is locked, so two calls cannot get the same
    number."""
    require(actor, "publish", named)
    lock(named)
    kind = module.get("execution_type", RUNNABLE)
    if kind.lower() != RUNNABLE:
        text = f"Modules of type {kind} cannot be run here, only {RUNNABLE}: scripts on a target."
        raise ValidationError({"execution_type": [text]})
    version = checks.text("version", version, longest=100).strip() or _next_version(named)
    if named.versions.filter(version=version).exists():
        raise Conflict(f"Version {version} of module {named.name} exists already.")
    made = create_module(actor, **module)
    row = ModuleVersion.objects.create(
        named_module=named,
        module=made,
        version=version,
        description=made.description,
        category=checks.text("category", category, longest=255),
        tags=checks.document("tags", tags or {}),
        created_by=actor.name,
        updated_by=actor.name,
    )
    write(actor, named, **({"default_version": row} if set_default else {}))
    audit.record(
        actor, "add version", named, after={"version": version, "default": bool(set_default)}
    )
    return row


@transaction.atomic
def update_named_module(
    actor: Actor,
    named: NamedModule,
    *,
    etag: str | None = None,
    versions: Mapping[str, str | None] | None = None,
    default_version: str | None = None,
    name: str | None = None,
    description: str | None = None,
    status: ModuleStatus | None = None,
) -> None:
    """Apply a PUT of the whole entity; None leaves a value unchanged.

    `versions` is the client's list, `{id: version}`. Versions that others have published meanwhile
    may be missing in it: the list is checked, and nothing is removed.
    """
    require(actor, "edit", named)
    current = lock(named, etag)
    known = {str(row.uuid): row for row in current.versions.select_related("module")}
    _check_versions(current, known, versions or {})
    new = {
        "name": None if name is None else checks.text("name", name, longest=255, required=True),
        "description": None if description is None else checks.text("description", description),
        "status": status,
        "default_version": _default(current, known.values(), default_version),
    }
    _change(actor, current, new)
    named.refresh_from_db()


@transaction.atomic
def update_module_version(
    actor: Actor,
    version: ModuleVersion,
    *,
    etag: str | None = None,
    description: str | None = None,
    status: ModuleStatus | None = None,
) -> None:
    """Apply a PUT of the whole entity; None leaves a value unchanged. Code and interface cannot
    change."""
    require(actor, "edit", version.named_module)
    current = lock(version, etag)
    text = None if description is None else checks.text("description", description)
    _change(actor, current, {"description": text, "status": status})
    version.refresh_from_db()


def check_usable(module: Module) -> None:
    """Raise Disabled for a module that no new pipeline may use. Pipelines published before keep
    working."""
    version = getattr(module, "named_version", None)
    if version is None:
        return
    if version.named_module.status == ModuleStatus.DISABLED:
        raise Disabled(f"Module {version.named_module} is disabled.")
    if version.status == ModuleStatus.DISABLED:
        raise Disabled(
            f"Version {version.version} of module {version.named_module} is disabled:"
            " enable it, or use another."
        )


def _taken(name: str) -> Conflict:
    return Conflict(f"A module {name} exists already: get it by its name, or choose another.")


def _check_versions(
    named: NamedModule, known: Mapping[str, Any], posted: Mapping[str, str | None]
) -> None:
    for uuid, version in posted.items():
        if uuid not in known:
            raise ValidationError({"versions": [f"Module {named.name} has no version {uuid:.80}."]})
        if version is not None and version != known[uuid].version:
            raise ValidationError(
                {"versions": [f"{uuid} is version {known[uuid].version}, which cannot be changed."]}
            )


def _default(
    named: NamedModule, known: Iterable[ModuleVersion], version: str | None
) -> ModuleVersion | None:
    if version is None:
        return None
    found = next((row for row in known if row.version == version), None)
    if found is None:
        raise ValidationError(
            {"default_version": [f"Module {named.name} has no version {version:.80}."]}
        )
    if found.status == ModuleStatus.DISABLED and found.pk != named.default_version_id:
        raise Refused(f"Version {version} of {named.name} is disabled: enable it, or use another.")
    return found


def _next_version(named: NamedModule) -> str:
    versions = named.versions.values_list("version", flat=True)
    whole = [int(text) for text in versions if text.isascii() and text.isdigit()]
    return str(max(whole, default=0) + 1)


def _change(actor: Actor, row: NamedModule | ModuleVersion, wanted: Mapping[str, Any]) -> None:
    changes = {key: value for key, value in wanted.items() if value is not None}
    try:
        revise(actor, row, changes)
    except IntegrityError as error:
        raise _taken(changes["name"]) from error  # the name is the only unique column here

"""Definitions that several people may change: pipeline endpoints, modules, drafts, schedules.

Each write sets a new etag, and a write by a client that has read an older one is refused.
"""

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import uuid4

from django.db import models, transaction
from django.utils import timezone

from studio.core import audit
from studio.core.access import Actor
from studio.core.errors import Conflict
from studio.core.models import Workspace


class Revisable(models.Model):
    """A row that `revise` or `write` changes."""

    etag = models.UUIDField(default=uuid4)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)
    updated_by = models.CharField(max_length=150, blank=True)

    class Meta:
        abstract = True


class Definition(Revisable):
    """A row with a UUID in a workspace; each model's indexes and constraints begin with the
    workspace."""

    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, related_name="%(class)ss", db_index=False
    )

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=Revisable)
VERBS = {"Active": "enable", "Deprecated": "deprecate", "Disabled": "disable"}


def lock(row: Row, etag: str | None = None) -> Row:
    """The current row, locked until the transaction ends. Conflict if the caller has read another
    `etag`."""
    rows = type(row)._default_manager.select_for_update(of=("self",))
    current = rows.get(pk=row.pk)
    require_current(current, etag)
    return current


def require_current(row: Revisable, etag: str | None) -> None:
    if etag is not None and etag != str(row.etag):
        kind = str(row._meta.verbose_name).capitalize()
        raise Conflict(f"{kind} {row} was changed since it was read: read it again.")


def revise(actor: Actor, row: Revisable, changes: Mapping[str, Any]) -> None:
    """Write the differences and record them in the audit trail."""
    new = {key: value for key, value in changes.items() if getattr(row, key) != value}
    if not new:
        return
    before = {key: getattr(row, key) for key in new}
    with transaction.atomic():
        write(actor, row, **new)
        audit.record(actor, _verb(new), row, before=_shown(before), after=_shown(new))


def _verb(new: Mapping[str, Any]) -> str:
    if "status" in new:
        return VERBS[new["status"]]
    if "default_version" in new:
        return "set default"
    return "rename" if "name" in new else "edit"


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with names in place of rows."""
    return {
        key: str(value) if isinstance(value, models.Model) else value
        for key, value in values.items()
    }


def write(actor: Actor, row: Revisable, **changes: Any) -> None:
    """Write columns of the row, with who changed it and when; without columns only these."""
    stamp(actor, row)
    for key in ("etag", "updated_at", "updated_by"):
        changes[key] = getattr(row, key)
    type(row)._default_manager.filter(pk=row.pk).update(**changes)
    for key, value in changes.items():
        setattr(row, key, value)


def stamp(actor: Actor, row: Revisable) -> None:
    """Set who changed a row and when, before it is saved."""
    row.etag, row.updated_at, row.updated_by = uuid4(), timezone.now(), actor.name

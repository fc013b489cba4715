"""Graphs that are still being changed. Whether one can run is asked when its draft is run or published."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from endpoints import graph as graphs
from endpoints.parameters import Parameter, Unreadable, parse
from endpoints.services import checks
from endpoints.services.pipelines import wire_defaults
from runs.models import GraphDraft, PipelineDraft
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import Conflict


@transaction.atomic
def create_graph_draft(
    actor: Actor, *, wire: Mapping[str, Any], interface: Mapping[str, Any]
) -> GraphDraft:
    require(actor, "edit")
    draft = GraphDraft.objects.create(workspace=actor.workspace, **_checked(wire, interface))
    audit.record(actor, "create", draft)
    return draft


@transaction.atomic
def update_graph_draft(
    actor: Actor,
    draft: GraphDraft,
    *,
    wire: Mapping[str, Any],
    interface: Mapping[str, Any],
    etag: str | None = None,
) -> GraphDraft:
    """Put another graph in its place. An `etag` that is not the current one is somebody else's change."""
    require(actor, "edit", draft)
    current = GraphDraft.objects.select_for_update().get(pk=draft.pk)
    require_newest(current, etag)
    changes = _checked(wire, interface)
    changes["earlier_defaults"] = wire_defaults(parameters_of(current))
    return _write(actor, current, changes)


def _write(actor: Actor, draft: GraphDraft, changes: Mapping[str, Any]) -> GraphDraft:
    for key, value in {**changes, "etag": uuid4(), "updated_at": timezone.now()}.items():
        setattr(draft, key, value)
    draft.save()
    audit.record(actor, "edit", draft)
    return draft


@transaction.atomic
def delete_graph_draft(actor: Actor, draft: GraphDraft) -> None:
    require(actor, "edit", draft)
    audit.record(actor, "delete", draft)
    draft.delete()


def require_newest(row: GraphDraft | PipelineDraft, etag: str | None) -> None:
    if etag and etag != str(row.etag):
        raise Conflict(f"The draft {row} was changed since it was read: read it again.")


def parameters_of(draft: GraphDraft) -> dict[str, Parameter]:
    """The parameters of a draft's graph, by name."""
    return parse(draft.interface, {})


def _checked(wire: Mapping[str, Any], interface: Mapping[str, Any]) -> dict[str, Any]:
    """What can be read as a graph; its modules and edges may still be missing."""
    wire = checks.document("Graph", wire)
    interface = checks.document("EntityInterface", interface)
    graphs.Graph.parse(wire, interface)
    try:
        parse(interface, {})
    except Unreadable as error:
        raise ValidationError({"EntityInterface": [str(error)]}) from error
    return {"wire": wire, "interface": interface}

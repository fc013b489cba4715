"""Graphs of drafts, which can still change. Whether one can run is checked when its draft is run or
published."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from endpoints import graph as graphs
from endpoints.parameters import Parameter, Unreadable
from endpoints.services import checks
from endpoints.services.pipelines import wire_defaults
from runs.models import GraphDraft
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.revisable import lock, write


@transaction.atomic
def create_graph_draft(
    actor: Actor, *, wire: Mapping[str, Any], interface: Mapping[str, Any]
) -> GraphDraft:
    require(actor, "edit")
    draft = GraphDraft.objects.create(
        workspace=actor.workspace,
        created_by=actor.name,
        updated_by=actor.name,
        **_checked(wire, interface),
    )
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
    """Replace the graph. An old `etag` is refused, because somebody else has changed it."""
    require(actor, "edit", draft)
    current = lock(draft, etag)
    changes = _checked(wire, interface)
    changes["earlier_defaults"] = wire_defaults(parameters_of(current))
    write(actor, current, **changes)
    audit.record(actor, "edit", current)
    return current


@transaction.atomic
def delete_graph_draft(actor: Actor, draft: GraphDraft) -> None:
    require(actor, "edit", draft)
    audit.record(actor, "delete", draft)
    draft.delete()


def parameters_of(draft: GraphDraft) -> dict[str, Parameter]:
    """The parameters of a draft's graph, by name."""
    return graphs.read_interface(draft.interface, {})


def _checked(wire: Mapping[str, Any], interface: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON, if it can be read as a graph; modules and edges may still be missing."""
    wire = checks.document("graph", wire)
    interface = checks.document("interface", interface)
    graphs.read_graph(wire, interface)
    try:
        graphs.read_interface(interface, {})
    except Unreadable as error:
        raise ValidationError({"interface": [str(error)]}) from error
    return {"wire": wire, "interface": interface}

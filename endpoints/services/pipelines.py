"""Publish: a graph is checked and gets a name that callers can run."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from endpoints import blueprints, data
from endpoints import graph as graphs
from endpoints.blueprints import Blueprint
from endpoints.graph import write_graph, write_interface
from endpoints.models import Graph, PipelineEndpoint, PublishedPipeline
from endpoints.parameters import Parameter, Unreadable
from endpoints.services import checks, named_modules, versions
from studio.core import audit
from studio.core.access import Actor, require


@transaction.atomic
def publish(
    actor: Actor,
    *,
    name: str,
    graph: Graph | Blueprint | Mapping[str, Any],
    interface: Mapping[str, Any] | None = None,
    dataset_defaults: Mapping[str, Any] | None = None,
    description: str = "",
    version: str = "",
    continue_on_step_failure: bool = False,
    properties: Mapping[str, Any] | None = None,
    source_run_uuid: UUID | None = None,
    endpoint: str | None = None,
    new_endpoint: str | None = None,
    set_default: bool = False,
    uuid: UUID | None = None,
    endpoint_uuid: UUID | None = None,
) -> PublishedPipeline:
    """Publish posted JSON, a graph that was built here, or the Graph of a run. `endpoint` names the
    endpoint that gets it as its newest version; it is created if needed. `new_endpoint` names one
    that must not exist yet. `uuid` and `endpoint_uuid` are ids from elsewhere (wire.md 2.5)."""
    require(actor, "publish")
    if endpoint_uuid and not (endpoint or new_endpoint):
        raise ValidationError({"endpoint": [_("Name the endpoint that gets this ID.")]})
    if set_default and not (endpoint or new_endpoint):
        text = _("Name the endpoint whose default this becomes.")
        raise ValidationError({"set_default": [text]})
    if isinstance(graph, Graph):
        blueprint = blueprints.load(graph.uuid)
    elif isinstance(graph, Blueprint):
        blueprint, graph = graph, store_graph(actor, graph, dataset_defaults=dataset_defaults)
    else:
        graph, blueprint = _make_graph(actor, graph, interface, dataset_defaults)
    require(actor, "publish", graph)
    pipeline = PublishedPipeline.objects.create(
        uuid=checks.chosen_uuid(actor, PublishedPipeline, uuid),
        workspace=actor.workspace,
        graph=graph,
        name=checks.text("name", name, longest=255, required=True),
        description=checks.text("description", description or ""),
        version=checks.text("version", version or "", longest=100),
        step_count=len(blueprint.graph.nodes),
        continue_on_step_failure=continue_on_step_failure,
        parameter_defaults=wire_defaults(blueprint.parameters),
        properties=checks.document("properties", properties or {}),
        source_run_uuid=source_run_uuid,
        created_by=actor.name,
        updated_by=actor.name,
    )
    audit.record(actor, "publish", pipeline, after={"graph": str(graph.uuid)})
    if endpoint:
        _put_behind(actor, endpoint, pipeline, set_default=set_default, uuid=endpoint_uuid)
    elif new_endpoint:
        _create_endpoint(actor, new_endpoint, pipeline, uuid=endpoint_uuid)
    return pipeline


def _put_behind(
    actor: Actor, name: str, pipeline: PublishedPipeline, *, set_default: bool, uuid: UUID | None
) -> None:
    found = PipelineEndpoint.objects.filter(workspace=actor.workspace, name=name).first()
    if found is None:
        _create_endpoint(actor, name, pipeline, uuid=uuid)
    elif uuid is not None and uuid != found.uuid:
        raise ValidationError({"endpoint": [f"Endpoint {name} has the id {found.uuid} already."]})
    else:
        versions.add_version(actor, found, pipeline, set_default=set_default)


def _create_endpoint(
    actor: Actor, name: str, pipeline: PublishedPipeline, *, uuid: UUID | None
) -> None:
    versions.create_endpoint(
        actor, name=name, pipeline=pipeline, description=pipeline.description, uuid=uuid
    )


def create_graph(
    actor: Actor,
    *,
    wire: Mapping[str, Any],
    interface: Mapping[str, Any],
    dataset_defaults: Mapping[str, Any] | None = None,
) -> Graph:
    """Check that a posted graph can run, then store it unchanged."""
    graph, _blueprint = _make_graph(actor, wire, interface, dataset_defaults)
    return graph


def store_graph(
    actor: Actor, blueprint: Blueprint, *, dataset_defaults: Mapping[str, Any] | None = None
) -> Graph:
    """Check that a graph that was built here can run, and store it as the JSON that a client would
    have posted."""
    blueprint.graph.validate()
    wire = write_graph(blueprint.graph)
    row = _row(actor, wire, write_interface(blueprint.parameters.values()), dataset_defaults)
    _check(blueprint)
    row.save()
    return row


def _make_graph(
    actor: Actor,
    wire: Mapping[str, Any],
    interface: Mapping[str, Any] | None,
    dataset_defaults: Mapping[str, Any] | None,
) -> tuple[Graph, Blueprint]:
    row = _row(actor, wire, interface, dataset_defaults)
    try:
        blueprint = blueprints.read(
            actor.workspace.pk, row.wire, row.interface, row.dataset_defaults
        )
    except Unreadable as error:
        raise ValidationError({"interface": [str(error)]}) from error
    _check(blueprint)
    row.save()
    return row, blueprint


def _row(
    actor: Actor,
    wire: Mapping[str, Any],
    interface: Mapping[str, Any] | None,
    dataset_defaults: Mapping[str, Any] | None,
) -> Graph:
    require(actor, "run code")
    return Graph(
        workspace=actor.workspace,
        wire=checks.document("graph", wire),
        interface=checks.document("interface", interface or {}),
        dataset_defaults=checks.document("dataset_defaults", dataset_defaults or {}),
    )


def _check(blueprint: Blueprint) -> None:
    """What can run, now and not when a step has run."""
    for module in blueprint.modules.values():
        named_modules.check_usable(module)
    for node in blueprint.graph.nodes.values():
        for setting in node.outputs.values():
            _check_transformations(node, setting.name, setting.transformations)
        for port, transformations in node.readings.items():
            _check_transformations(node, port, transformations)


def _check_transformations(node: graphs.Node, port: str, transformations: str) -> None:
    """Check how outputs are to be read as tables now, instead of when the step has run."""
    try:
        data.read_transformations(transformations)
    except data.DataflowError as error:
        place = f"{node.name}.{port}.transformations"
        raise ValidationError({place: error.messages}) from error


def wire_defaults(parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """ParameterAssignments of a pipeline: every parameter except datasets (wire.md 5.2). Secrets
    are empty, because whoever can read the pipeline can read these."""
    return {
        name: "" if parameter.secret else parameter.default_text
        for name, parameter in parameters.items()
        if parameter.is_scalar or parameter.kind == "datapath"
    }

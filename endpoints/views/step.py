"""One node of a published pipeline's graph beside the drawing: its inputs, outputs and code."""

import shlex
from uuid import UUID

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from endpoints import blueprints
from endpoints.graph import Argument, DatasetNode, Edge, Graph, Node, Port
from endpoints.models import PublishedPipeline
from endpoints.views import drawing
from runs.steps.environments import EnvironmentRefused, parse

FILES_SHOWN = 200  # there may be thousands; a run's Snapshot tab lists all


def chosen(request, graph_uuid: UUID) -> str:
    """The node that `?step=` names, or None; 404 for an unknown one."""
    wanted = request.GET.get("step", "")
    graph = blueprints.load(graph_uuid).graph
    if wanted and wanted not in graph.nodes and wanted not in graph.datasets:
        raise Http404
    return wanted


def beside(request, pipeline: PublishedPipeline) -> dict:
    """The context of a page with this pipeline's graph and, if one is chosen, a node of it."""
    current = chosen(request, pipeline.graph.uuid)
    context = drawing.about(request, pipeline, current)
    if current:
        closed = drawing.step_url(request, "")
        context |= {"step": panel(pipeline, current), "close_url": f"{closed}#node-{current}"}
    return context


def panel(pipeline: PublishedPipeline, node_id: str) -> dict:
    """The context of `_step.html` for a step or a source of data."""
    blueprint = blueprints.load(pipeline.graph.uuid)
    if node_id in blueprint.graph.datasets:
        return _source(blueprint, blueprint.graph.datasets[node_id])
    node = blueprint.graph.nodes[node_id]
    module = blueprint.modules[node_id]
    return {
        "id": node.id,
        "name": node.name,
        "type": node.module.step_type,
        "comment": node.comment if node.comment != node.name else "",
        "parameters": _parameters(blueprint, node),
        "inputs": [
            _input(blueprint.graph, node, port)
            for port in node.module.inputs.values()
            if not port.is_fake
        ],
        "waits_for": _waits_for(blueprint.graph, node),
        "outputs": [
            _output(blueprint.graph, node, port)
            for port in node.module.outputs.values()
            if not port.is_fake
        ],
        "script": node.script,
        "command": node.command,
        "arguments": _arguments(node),
        "files": _files(pipeline, module.snapshot),
        "more_files": max(0, len(module.snapshot.files) - FILES_SHOWN) if module.snapshot else 0,
        "settings": node,
        "environment": _environment(node),
    }


def _source(blueprint, node: DatasetNode) -> dict:
    name = node.dataset_parameter or node.datapath_parameter
    parameter = blueprint.parameters.get(name or "")
    return {
        "id": node.id,
        "name": node.name,
        "type": _("data path") if node.datapath_parameter else _("dataset"),
        "is_source": True,
        "parameter": parameter,
        "default": drawing.shown_default(parameter) if parameter else "",
        "readers": _ends(
            blueprint.graph, [e for e in blueprint.graph.edges if e.source == node.id]
        ),
    }


def _parameters(blueprint, node: Node) -> list[dict]:
    """Which parameters the arguments and the environment use, and which pipeline parameters set
    them."""
    used = {item.value for item in node.arguments() if item.kind == "Parameter"}
    used |= {key for key, one in node.module.parameters.items() if one.environment_variable}
    used |= {key for key, one in node.assignments.items() if one.from_graph}
    return [_parameter(blueprint, node, name) for name in sorted(used)]


def _parameter(blueprint, node: Node, name: str) -> dict:
    assignment = node.assignments.get(name)
    declared = node.module.parameters.get(name)
    row = {
        "name": name,
        "variable": declared.environment_variable if declared else None,
        "graph": "",
    }
    if assignment is None or not assignment.from_graph:
        return row | {"value": node.value(name)}
    parameter = blueprint.parameters.get(assignment.value or "")
    value = drawing.shown_default(parameter) if parameter else None
    return row | {"graph": assignment.value, "value": value}


def _input(graph: Graph, node: Node, port: Port) -> dict:
    edges = [
        edge for edge in graph.edges if (edge.target, edge.target_port) == (node.id, port.name)
    ]
    return {"port": port, "sources": _ends(graph, edges, at="source")}


def _output(graph: Graph, node: Node, port: Port) -> dict:
    edges = [
        edge for edge in graph.edges if (edge.source, edge.source_port) == (node.id, port.name)
    ]
    return {"port": port, "setting": node.outputs.get(port.name), "readers": _ends(graph, edges)}


def _waits_for(graph: Graph, node: Node) -> list[dict]:
    """The steps that must end first although no data comes from them."""
    return _ends(
        graph,
        [edge for edge in graph.edges if edge.target == node.id and edge.is_run_after],
        "source",
    )


def _ends(graph: Graph, edges: list[Edge], at: str = "target") -> list[dict]:
    """The nodes at one end of some edges, each with the port."""
    found = []
    for edge in edges:
        key = getattr(edge, at)
        node = graph.nodes.get(key) or graph.datasets[key]
        port = getattr(edge, f"{at}_port")
        is_step = isinstance(node, Node)
        found.append({"id": key, "name": node.name, "port": port if is_step else ""})
    return found


def _arguments(node: Node) -> str:
    """The arguments as one would type them; what is filled in at run time is in angle brackets."""
    return " ".join(map(_word, node.arguments()))


def _word(argument: Argument) -> str:
    return shlex.quote(argument.value) if argument.kind == "Literal" else f"<{argument.value}>"


def _files(pipeline: PublishedPipeline, snapshot) -> list[dict]:
    if snapshot is None:
        return []
    return [
        {
            "path": path,
            "size": held.get("size", 0),
            "url": reverse(
                "endpoints:pipeline-code", args=[pipeline.uuid, f"{snapshot.uuid}/{path}"]
            ),
        }
        for path, held in sorted(snapshot.files.items())[:FILES_SHOWN]
    ]


def _environment(node: Node) -> dict:
    """The environment as the worker reads it. Variables are shown by name only, since they may hold
    secrets."""
    definition = node.runconfig.get("environment") or {}
    try:
        spec = parse(definition, real_azureml=settings.STUDIO_REAL_AZUREML)
    except EnvironmentRefused as error:
        return {"name": definition.get("name"), "refusal": str(error)}
    return {
        "name": definition.get("name"),
        "python": spec.python,
        "packages": spec.requirements,
        "variables": sorted(spec.variables),
        "warnings": spec.warnings,
    }

"""The graph of a published pipeline as a page shows it. Graphs are immutable, so each is drawn
once."""

from functools import lru_cache
from uuid import UUID

from endpoints import blueprints
from endpoints.graph import DatasetNode, Node
from endpoints.graph.layout import layout
from endpoints.models import PublishedPipeline
from endpoints.parameters import Parameter, dataset_text
from runs import sealing
from studio.core.ui.drawing import laid_out


@lru_cache(maxsize=256)
def drawn(graph_uuid: UUID) -> dict:
    """The drawing for the tag `graph`, before its nodes get links."""
    graph = blueprints.load(graph_uuid).graph
    edges = [(edge.source, edge.target) for edge in graph.edges]
    facts = {key: _step(node) for key, node in graph.nodes.items()}
    facts |= {key: _dataset(node) for key, node in graph.datasets.items()}
    return laid_out(layout(list(facts), edges), facts)


def _step(node: Node) -> dict:
    return {"name": node.name, "sub": _code(node), "kind": "step"}


def _dataset(node: DatasetNode) -> dict:
    return {"name": node.name, "kind": "dataset"}


def _code(node: Node) -> str:
    return node.script or node.command or node.module.step_type


def steps(graph_uuid: UUID) -> list[dict]:
    """The rows of the table of steps, in an order in which they can run."""
    blueprint = blueprints.load(graph_uuid)
    return [
        {
            "id": node.id,
            "name": node.name,
            "type": node.module.step_type,
            "code": _code(node),
            "target": node.target,
            "inputs": ", ".join(node.module.inputs),
            "outputs": ", ".join(node.module.outputs),
        }
        for node in blueprint.graph.nodes.values()
    ]


def parameter_rows(graph_uuid: UUID) -> list[dict]:
    """Parameters with the steps that use them."""
    blueprint = blueprints.load(graph_uuid)
    return [
        {"parameter": parameter, "default": shown_default(parameter), "steps": used}
        for parameter in blueprint.parameters.values()
        for used in [_used_by(blueprint.graph, parameter)]
    ]


def _used_by(graph, parameter: Parameter) -> list[str]:
    data = {
        key
        for key, node in graph.datasets.items()
        if parameter.name in (node.dataset_parameter, node.datapath_parameter)
    }
    readers = {edge.target for edge in graph.edges if edge.source in data}
    return [
        node.name
        for key, node in graph.nodes.items()
        if key in readers
        or any(
            assignment.from_graph and assignment.value == parameter.name
            for assignment in node.assignments.values()
        )
    ]


def shown_default(parameter: Parameter) -> str:
    """The default in words; a secret's is never shown."""
    if parameter.default is None:
        return ""
    if parameter.secret:
        return sealing.MASK
    if isinstance(parameter.default, str) or parameter.default_text:
        return parameter.default_text
    return dataset_text(parameter.default)


def with_links(graph: dict, request, current: str) -> dict:
    """The drawing with links that open a node beside it; `current` is the open one."""
    nodes = [
        node | {"url": step_url(request, node["id"]), "current": node["id"] == current}
        for node in graph["nodes"]
    ]
    return graph | {"nodes": nodes}


def step_url(request, node_id: str) -> str:
    """The address of this page with a node open, or with none."""
    query = request.GET.copy()
    query.pop("step", None)
    if node_id:
        query["step"] = node_id
    return f"?{query.urlencode()}{'#step' if node_id else ''}"


def about(request, pipeline: PublishedPipeline, current: str) -> dict:
    """The context of a page with this pipeline's graph, steps and parameters."""
    graph_uuid = pipeline.graph.uuid
    return {
        "graph": with_links(drawn(graph_uuid), request, current),
        "current_step": current,
        "steps": steps(graph_uuid),
        "parameters": parameter_rows(graph_uuid),
    }

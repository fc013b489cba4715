"""The only reader of graphs: each with its modules and parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from endpoints.graph import Graph, read_graph, read_interface, read_module, read_module_ids
from endpoints.models import Graph as GraphRow
from endpoints.models import Module
from endpoints.parameters import Parameter, with_dataset_nodes, with_destinations
from studio.core.uuids import as_uuids


@dataclass(frozen=True)
class Blueprint:
    """A graph with everything that a run needs of it; `modules` are by node id."""

    graph: Graph
    modules: Mapping[str, Module]
    parameters: Mapping[str, Parameter]

    @classmethod
    def of(
        cls, graph: Graph, modules: Mapping[str, Module], declared: Mapping[str, Parameter]
    ) -> "Blueprint":
        """The blueprint of a graph. Beside those `declared`, parameters are what its nodes name."""
        nodes = graph.datasets.values()
        asked = [node.dataset_parameter for node in nodes if node.dataset_parameter]
        parameters = with_destinations(with_dataset_nodes(declared, asked), graph.path_parameters)
        return cls(graph, modules, parameters)

    @property
    def secret_names(self) -> set[str]:
        return {name for name, parameter in self.parameters.items() if parameter.secret}


@lru_cache(maxsize=256)
def load(graph_uuid: UUID) -> Blueprint:
    """The blueprint of a stored graph; cached, since graphs and modules never change."""
    row = GraphRow.objects.get(uuid=graph_uuid)
    return read(row.workspace_id, row.wire, row.interface, row.dataset_defaults)


def read(
    workspace_id: int,
    wire: Mapping[str, Any],
    interface: Mapping[str, Any],
    dataset_defaults: Mapping[str, Any],
) -> Blueprint:
    """The blueprint of a posted graph. GraphError names what keeps it from running, Unreadable what
    is wrong with its interface."""
    found = Module.objects.filter(
        workspace_id=workspace_id, uuid__in=as_uuids(read_module_ids(wire))
    )
    modules = {
        str(module.uuid): module
        for module in found.select_related("snapshot", "named_version__named_module")
    }
    graph = read_graph(
        wire,
        interface,
        modules={
            key: read_module(
                module.structured_interface,
                name=module.name,
                step_type=module.step_type,
                is_deterministic=module.is_deterministic,
                runconfig=module.runconfig,
            )
            for key, module in modules.items()
        },
    )
    graph.validate(known_modules=modules)
    by_node = {node.id: modules[node.module_id.lower()] for node in graph.nodes.values()}
    return Blueprint.of(graph, by_node, read_interface(interface, dataset_defaults))

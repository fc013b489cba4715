"""Loads graphs with their modules. Both are immutable, so each process reads one only once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from endpoints.graph import Graph, read_module
from endpoints.models import Graph as GraphRow
from endpoints.models import Module
from endpoints.parameters import Parameter, parse, with_dataset_nodes, with_destinations


@dataclass(frozen=True)
class Blueprint:
    """A graph with everything that a run needs of it; `modules` are by node id."""

    graph: Graph
    modules: Mapping[str, Module]
    parameters: Mapping[str, Parameter]

    @property
    def secret_names(self) -> set[str]:
        return {name for name, parameter in self.parameters.items() if parameter.secret}


@lru_cache(maxsize=256)
def blueprint(graph_uuid: UUID) -> Blueprint:
    row = GraphRow.objects.get(uuid=graph_uuid)
    wanted = {str(node.get("ModuleId")) for node in row.wire.get("ModuleNodes") or []}
    modules = {
        str(module.uuid): module
        for module in Module.objects.filter(
            workspace_id=row.workspace_id, uuid__in=_uuids(wanted)
        ).select_related("snapshot")
    }
    graph = Graph.parse(
        row.wire,
        row.interface,
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
    parameters = parse(row.interface, row.dataset_defaults)
    asked = [node.dataset_parameter for node in graph.datasets.values() if node.dataset_parameter]
    return Blueprint(
        graph=graph,
        modules={node.id: modules[node.module_id.lower()] for node in graph.nodes.values()},
        parameters=with_destinations(with_dataset_nodes(parameters, asked), graph.path_parameters),
    )


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _uuids(texts: Iterable[str]) -> list[UUID]:
    """The texts that are UUIDs; `validate` reports the others."""
    return [uuid for uuid in map(as_uuid, texts) if uuid is not None]

"""The graph of a pipeline: the order of its steps, their parents, and whether it can run."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from endpoints.graph.elements import (
    DatasetNode,
    Edge,
    GraphError,
    Node,
)
from endpoints.parameters import PathParameter


@dataclass(frozen=True)
class Graph:
    nodes: Mapping[str, Node]
    datasets: Mapping[str, DatasetNode]
    edges: tuple[Edge, ...]
    pipeline_outputs: Mapping[str, tuple[str, str]]
    parameter_names: frozenset[str]
    timeout_seconds: int | None = None

    @cached_property
    def path_parameters(self) -> tuple[PathParameter, ...]:
        """The parameters that destinations of outputs are made of."""
        settings = (one for node in self.nodes.values() for one in node.outputs.values())
        return tuple(filter(None, (one.parameter for one in settings)))

    @classmethod
    def of(
        cls,
        *,
        nodes: Iterable[Node],
        datasets: Iterable[DatasetNode],
        edges: Iterable[Edge],
        pipeline_outputs: Mapping[str, tuple[str, str]] | None = None,
        parameter_names: Iterable[str] = (),
        timeout_seconds: int | None = None,
    ) -> "Graph":
        """A graph of these parts. Its dataset nodes learn from the edges which input reads them."""
        edges = tuple(edges)
        ports = {edge.source: edge.target_port for edge in reversed(edges)}
        return cls(
            nodes={node.id: node for node in nodes},
            datasets={node.id: replace(node, port=ports.get(node.id, "")) for node in datasets},
            edges=edges,
            pipeline_outputs=pipeline_outputs or {},
            parameter_names=frozenset(parameter_names),
            timeout_seconds=timeout_seconds,
        )

    def validate(self, *, known_modules: Iterable[str] | None = None) -> None:
        """Raise GraphError if the graph can never run."""
        if not self.nodes:
            raise GraphError("Graph.ModuleNodes", "A pipeline needs at least one step.")
        known = None if known_modules is None else {module.lower() for module in known_modules}
        for node in self.nodes.values():
            self._validate_node(node, known)
        self._validate_edges()
        for name, (node_id, port) in self.pipeline_outputs.items():
            self._require_output(f"Graph.Edges[{name}]", node_id, port)
        self._order  # noqa: B018 - raises for a cycle

    def _validate_node(self, node: Node, known: set[str] | None) -> None:
        path = f"Graph.ModuleNodes[{node.id}]"
        if known is not None and node.module_id.lower() not in known:
            raise GraphError(f"{path}.ModuleId", f"There is no module {node.module_id}.")
        for assignment in node.assignments.values():
            if assignment.from_graph and assignment.value not in self.parameter_names:
                raise GraphError(
                    f"{path}.ModuleParameters[{assignment.name}]",
                    f"There is no pipeline parameter {assignment.value}.",
                )

    def _validate_edges(self) -> None:
        taken: set[tuple[str, str]] = set()
        for index, edge in enumerate(self.edges):
            path = f"Graph.Edges[{index}]"
            self._require_output(path, edge.source, edge.source_port)
            target = self.nodes.get(edge.target)
            if target is None:
                raise GraphError(f"{path}.DestinationInputPort", f"There is no step {edge.target}.")
            if target.module.inputs and edge.target_port not in target.module.inputs:
                raise GraphError(
                    f"{path}.DestinationInputPort",
                    f"{target.name} has no input {edge.target_port}.",
                )
            if (edge.target, edge.target_port) in taken:
                raise GraphError(
                    f"{path}.DestinationInputPort",
                    f"Input {edge.target_port} of {target.name} has two sources.",
                )
            taken.add((edge.target, edge.target_port))

    def _require_output(self, path: str, node_id: str, port: str) -> None:
        if node_id in self.datasets:
            return
        node = self.nodes.get(node_id)
        if node is None:
            raise GraphError(f"{path}.SourceOutputPort", f"There is no step or dataset {node_id}.")
        if node.module.outputs and port not in node.module.outputs:
            raise GraphError(f"{path}.SourceOutputPort", f"{node.name} has no output {port}.")

    @cached_property
    def _links(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        parents: dict[str, list[str]] = {node: [] for node in self.nodes}
        children: dict[str, list[str]] = {node: [] for node in self.nodes}
        for edge in self.edges:
            known = edge.source in self.nodes and edge.target in self.nodes
            if known and edge.source not in parents[edge.target]:
                parents[edge.target].append(edge.source)
                children[edge.source].append(edge.target)
        return parents, children

    def parents(self, node_id: str) -> list[str]:
        """The steps that must end before `node_id` may start."""
        return self._links[0][node_id]

    def children(self, node_id: str) -> list[str]:
        return self._links[1][node_id]

    def inputs(self, node_id: str) -> list[Edge]:
        """The edges that bring data to a step; those of `run_after` are left out."""
        return [edge for edge in self.edges if edge.target == node_id and not edge.is_run_after]

    def topological_order(self) -> list[str]:
        return list(self._order)

    @cached_property
    def _order(self) -> tuple[str, ...]:
        waiting = {node: len(self.parents(node)) for node in self.nodes}
        ready = deque(node for node, count in waiting.items() if count == 0)
        order: list[str] = []
        while ready:
            node = ready.popleft()
            order.append(node)
            for child in self.children(node):
                waiting[child] -= 1
                if waiting[child] == 0:
                    ready.append(child)
        if len(order) < len(self.nodes):
            stuck = sorted(self.nodes[node].name for node in set(self.nodes) - set(order))
            raise GraphError("Graph.Edges", f"These steps wait for each other: {', '.join(stuck)}.")
        return tuple(order)

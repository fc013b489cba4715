"""Reads the nodes and edges of a posted graph."""

from collections.abc import Iterable, Mapping
from typing import Any

from endpoints.graph.elements import (
    RUN_AFTER_INPUT,
    RUN_AFTER_OUTPUT,
    Assignment,
    DatasetNode,
    Edge,
    GraphError,
    ModuleInfo,
    Node,
    OutputSetting,
    count,
)
from endpoints.graph.graph import Graph
from endpoints.graph.reading.checks import as_text, mapping, rows
from endpoints.graph.reading.runconfig import read_runconfig


def read_graph(
    wire: Mapping[str, Any],
    interface: Mapping[str, Any] | None = None,
    *,
    modules: Mapping[str, ModuleInfo] | None = None,
) -> Graph:
    """A posted graph. `modules` maps ids of modules to their interfaces, as far as they are known."""
    wire = mapping(wire, "Graph")
    interface = mapping(interface or {}, "GraphInterface")
    nodes: dict[str, Node] = {}
    datasets: dict[str, DatasetNode] = {}
    for index, row in enumerate(rows(wire, "ModuleNodes", "Graph", key="Id")):
        path = f"Graph.ModuleNodes[{index}]"
        _unique(row["Id"], path, nodes, datasets)
        nodes[row["Id"]] = _node(row, path, modules or {})
    for index, row in enumerate(rows(wire, "DatasetNodes", "Graph", key="Id")):
        path = f"Graph.DatasetNodes[{index}]"
        _unique(row["Id"], path, nodes, datasets)
        datasets[row["Id"]] = _dataset_node(row, path)
    edges, outputs = _edges(wire, nodes)
    own = mapping(wire.get("Studio") or {}, "Graph.Studio")
    return Graph.of(
        nodes=nodes.values(),
        datasets=datasets.values(),
        edges=edges,
        pipeline_outputs=outputs,
        parameter_names=_parameter_names(interface),
        timeout_seconds=count(own.get("TimeoutSeconds")) or None,
    )


def _unique(node_id: str, path: str, *taken: Mapping[str, Any]) -> None:
    if any(node_id in ids for ids in taken):
        raise GraphError(f"{path}.Id", f"Two nodes have the id {node_id}.")


def read_module_ids(wire: Mapping[str, Any]) -> list[str]:
    """The modules that a posted graph names, before it is checked."""
    nodes = wire.get("ModuleNodes")
    return [
        str(node.get("ModuleId"))
        for node in (nodes if isinstance(nodes, list) else [])
        if isinstance(node, Mapping)
    ]


def _node(row: Mapping[str, Any], path: str, modules: Mapping[str, ModuleInfo]) -> Node:
    module_id = str(row.get("ModuleId") or "")
    if not module_id:
        raise GraphError(f"{path}.ModuleId", "This text is required.")
    module = modules.get(module_id) or modules.get(module_id.lower()) or ModuleInfo()
    comment = str(row.get("Comment") or "")
    assigned = [*rows(row, "ModuleParameters", path), *rows(row, "ModuleMetadataParameters", path)]
    return Node(
        id=row["Id"],
        module_id=module_id,
        name=module.name or comment or row["Id"],
        comment=comment,
        assignments={
            item["Name"]: Assignment(
                item["Name"],
                str(item.get("ValueType")) in ("1", "GraphParameterName"),
                as_text(item.get("Value")),
            )
            for item in assigned
        },
        outputs={
            item["Name"]: _output_setting(item, path)
            for item in rows(row, "ModuleOutputSettings", path)
        },
        readings={
            item["Name"]: str(item["AdditionalTransformations"])
            for item in rows(row, "ModuleInputSettings", path)
            if item.get("AdditionalTransformations")
        },
        runconfig=read_runconfig(row.get("Runconfig"), f"{path}.Runconfig") or module.runconfig,
        regenerate=bool(row.get("RegenerateOutput")),
        module=module,
    )


def _output_setting(row: Mapping[str, Any], path: str) -> OutputSetting:
    place = f"{path}.{row['Name']}"
    options = mapping(row.get("DatasetOutputOptions") or {}, f"{place}.DatasetOutputOptions")
    registration = mapping(row.get("DatasetRegistration") or {}, f"{place}.DatasetRegistration")
    tags = mapping(registration.get("Tags") or {}, f"{place}.DatasetRegistration.Tags")
    return OutputSetting(
        name=row["Name"],
        datastore=row.get("DataStoreName") or None,
        mode=str(row.get("DataStoreMode") or "mount").lower(),
        path_on_compute=as_text(row.get("PathOnCompute")) or None,
        overwrite=bool(row.get("Overwrite")),
        path_on_datastore=options.get("PathOnDatastore") or None,
        register_as=registration.get("Name") or None,
        register_description=str(registration.get("Description") or ""),
        register_tags={str(key): as_text(value) or "" for key, value in tags.items()},
        transformations=str(registration.get("AdditionalTransformations") or ""),
        only=_patterns(options.get("SourceGlobs"), f"{place}.DatasetOutputOptions.SourceGlobs"),
    )


def _patterns(row: object, path: str) -> tuple[str, ...]:
    patterns = mapping(row or {}, path).get("GlobPatterns") or []
    if not isinstance(patterns, list) or not all(isinstance(text, str) for text in patterns):
        raise GraphError(f"{path}.GlobPatterns", "Expected a list of texts.")
    return tuple(text.removeprefix("./").lstrip("/") for text in patterns)


def _dataset_node(row: Mapping[str, Any], path: str) -> DatasetNode:
    definition = mapping(row.get("DataSetDefinition") or {}, f"{path}.DataSetDefinition")
    node = DatasetNode(
        id=row["Id"],
        datapath_parameter=row.get("DataPathParameterName") or None,
        dataset_parameter=definition.get("ParameterName") or None,
        source_id=row.get("DatasetId") or None,
        value=definition.get("Value") or None,
    )
    if not (node.datapath_parameter or node.dataset_parameter or node.source_id or node.value):
        raise GraphError(path, "This dataset node names no parameter, data source or dataset.")
    return node


def _edges(
    wire: Mapping[str, Any], nodes: Mapping[str, Node]
) -> tuple[tuple[Edge, ...], dict[str, Any]]:
    edges: list[Edge] = []
    outputs: dict[str, tuple[str, str]] = {}
    for index, row in enumerate(rows(wire, "Edges", "Graph", key=None)):
        path = f"Graph.Edges[{index}]"
        source = mapping(row.get("SourceOutputPort") or {}, f"{path}.SourceOutputPort")
        target = mapping(row.get("DestinationInputPort") or {}, f"{path}.DestinationInputPort")
        begin = str(source.get("NodeId") or ""), str(source.get("PortName") or "")
        if target.get("GraphPortName"):
            outputs[str(target["GraphPortName"])] = begin
            continue
        end = str(target.get("NodeId") or ""), str(target.get("PortName") or "")
        step = nodes.get(end[0])
        declared = step.module.inputs.get(end[1]) if step else None
        fake = begin[1] == RUN_AFTER_OUTPUT or end[1].startswith(RUN_AFTER_INPUT)
        edges.append(Edge(*begin, *end, is_run_after=fake or bool(declared and declared.is_fake)))
    return tuple(edges), outputs


def _parameter_names(interface: Mapping[str, Any]) -> Iterable[str]:
    for name in ("Parameters", "DataPathParameters", "DataPathParameterList"):
        for row in rows(interface, name, "GraphInterface"):
            yield row["Name"]

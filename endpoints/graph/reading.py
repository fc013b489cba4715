"""Reads the posted JSON of graphs, modules and interfaces into `elements`; errors name their place
in it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from endpoints.graph.elements import (
    PYTHON_STEP,
    RUN_AFTER_INPUT,
    RUN_AFTER_OUTPUT,
    Argument,
    Assignment,
    DatasetNode,
    Edge,
    GraphError,
    ModuleInfo,
    ModuleParameter,
    Node,
    OutputSetting,
    Port,
    count,
)
from endpoints.graph.graph import Graph
from endpoints.parameters import BOOLEAN_WORDS, Kind, Parameter, read_datapath, read_dataset
from studio.core import numbers

MOST_ROWS = 20_000  # steps, edges, parameters
# A parameter's Type is sent as a number in text; a later client may send the words (wire.md 3.6).
KINDS = {
    "0": Kind.INT,
    "1": Kind.FLOAT,
    "2": Kind.BOOL,
    "3": Kind.STRING,
    "4": Kind.STRING,
    "int": Kind.INT,
    "double": Kind.FLOAT,
    "float": Kind.FLOAT,
    "bool": Kind.BOOL,
    "string": Kind.STRING,
}
VARIABLES = "environmentVariables"
VARIABLE_NAME = re.compile(r"[^=\0\n]+")


def mapping(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise GraphError(path, f"Expected an object, got {type(value).__name__}.")
    return value


def rows(
    wire: Mapping[str, Any], name: str, path: str, *, key: str | None = "Name"
) -> list[Mapping[str, Any]]:
    """The list `name`, each item of which must be an object with a text under `key`."""
    rows = wire.get(name) or []
    if not isinstance(rows, list):
        raise GraphError(f"{path}.{name}", f"Expected a list, got {type(rows).__name__}.")
    if len(rows) > MOST_ROWS:
        raise GraphError(f"{path}.{name}", f"At most {MOST_ROWS:,} are taken, not {len(rows):,}.")
    for index, row in enumerate(rows):
        mapping(row, f"{path}.{name}[{index}]")
        if key and not (isinstance(row.get(key), str) and row[key]):
            raise GraphError(f"{path}.{name}[{index}].{key}", "This text is required.")
    return rows


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


def read_module(
    interface: Mapping[str, Any],
    *,
    name: str = "",
    step_type: str = PYTHON_STEP,
    is_deterministic: bool = True,
    runconfig: str = "",
) -> ModuleInfo:
    """A module: its StructuredInterface, and the Runconfig for nodes that have none."""
    where = f"Module {name}.StructuredInterface"
    interface = mapping(interface, where)
    declared = [
        *rows(interface, "Parameters", where),
        *rows(interface, "MetadataParameters", where),
    ]
    return ModuleInfo(
        name=name,
        step_type=step_type,
        is_deterministic=is_deterministic,
        inputs={row["Name"]: _input(row) for row in rows(interface, "Inputs", where)},
        outputs={row["Name"]: _output(row) for row in rows(interface, "Outputs", where)},
        parameters={row["Name"]: _module_parameter(row) for row in declared},
        arguments=tuple(
            Argument(str(row.get("ValueType") or "Literal"), _text(row.get("Value")) or "")
            for row in rows(interface, "Arguments", where, key=None)
        ),
        runconfig=_runconfig(runconfig, f"Module {name}.Runconfig"),
    )


def _input(row: Mapping[str, Any]) -> Port:
    types = row.get("DataTypeIdsList") or []
    return Port(
        name=row["Name"],
        mode=str(row.get("DataStoreMode") or "mount").lower(),
        path_on_compute=_text(row.get("PathOnCompute")) or None,
        overwrite=bool(row.get("Overwrite")),
        data_types=tuple(str(item) for item in types) if isinstance(types, list) else (),
        is_fake=bool(row.get("SkipProcessing")) or row["Name"].startswith(RUN_AFTER_INPUT),
        is_optional=bool(row.get("IsOptional")),
    )


def _output(row: Mapping[str, Any]) -> Port:
    return Port(
        name=row["Name"],
        mode=str(row.get("DataStoreMode") or "mount").lower(),
        path_on_compute=_text(row.get("PathOnCompute")) or None,
        overwrite=bool(row.get("Overwrite")),
        datastore=row.get("DataStoreName") or None,
        data_types=(str(row["DataTypeId"]),) if row.get("DataTypeId") else (),
        is_fake=bool(row.get("SkipProcessing")) or row["Name"] == RUN_AFTER_OUTPUT,
    )


def _text(value: object) -> str | None:
    """Values of module parameters are texts; older clients send bare numbers."""
    return None if value is None else str(value)


def _module_parameter(row: Mapping[str, Any]) -> ModuleParameter:
    variable = None
    if row.get("SetEnvironmentVariable"):
        variable = row.get("EnvironmentVariableOverride") or f"AML_PARAMETER_{row['Name']}"
    return ModuleParameter(row["Name"], _text(row.get("DefaultValue")), variable)


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
                _text(item.get("Value")),
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
        runconfig=_runconfig(row.get("Runconfig"), f"{path}.Runconfig") or module.runconfig,
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
        path_on_compute=_text(row.get("PathOnCompute")) or None,
        overwrite=bool(row.get("Overwrite")),
        path_on_datastore=options.get("PathOnDatastore") or None,
        register_as=registration.get("Name") or None,
        register_description=str(registration.get("Description") or ""),
        register_tags={str(key): _text(value) or "" for key, value in tags.items()},
        transformations=str(registration.get("AdditionalTransformations") or ""),
        only=_patterns(options.get("SourceGlobs"), f"{place}.DatasetOutputOptions.SourceGlobs"),
    )


def _patterns(row: object, path: str) -> tuple[str, ...]:
    patterns = mapping(row or {}, path).get("GlobPatterns") or []
    if not isinstance(patterns, list) or not all(isinstance(text, str) for text in patterns):
        raise GraphError(f"{path}.GlobPatterns", "Expected a list of texts.")
    return tuple(text.removeprefix("./").lstrip("/") for text in patterns)


def _runconfig(text: object, path: str) -> Mapping[str, Any]:
    """The Runconfig is a JSON string inside the JSON (wire.md 8.5). Its own variables
    (`RunConfiguration.environment_variables`) are added to those of its environment."""
    if text in (None, ""):
        return {}
    if isinstance(text, str):
        try:
            text = numbers.storable(numbers.loads(text))
        except ValueError as error:
            raise GraphError(path, f"This is not JSON: {error}.") from error
    runconfig = mapping(text if text is not None else {}, path)
    own = _variables(runconfig, path)
    given = mapping(runconfig.get("environment") or {}, f"{path}.environment")
    variables = {**_variables(given, f"{path}.environment"), **own}
    if not own:
        return runconfig
    environment = {key: value for key, value in given.items() if not _is_variables(key)}
    return {**runconfig, "environment": {**environment, VARIABLES: variables}}


def _variables(row: Mapping[str, Any], path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in row.items():
        if _is_variables(key):
            found |= mapping(value or {}, f"{path}.{key}")
    for name in found:
        if not VARIABLE_NAME.fullmatch(name):
            raise GraphError(f"{path}.{VARIABLES}", f"{name!r} is no name of a variable.")
    return found


def _is_variables(key: str) -> bool:
    return key.lower().replace("_", "") == VARIABLES.lower()


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


def read_interface(
    interface: Mapping[str, Any] | None, dataset_defaults: Mapping[str, Any] | None = None
) -> dict[str, Parameter]:
    """The parameters of a GraphInterface (wire.md 5.1, 8.6) by name, in the order of their
    declaration.

    `dataset_defaults` are the DataSetDefinitionValueAssignments posted with it. They override the
    interface's own default, which names a dataset instead of the saved definition.
    """
    interface = interface or {}
    dataset_defaults = dataset_defaults or {}
    found: dict[str, Parameter] = {}
    for row in interface.get("Parameters") or []:
        found[row["Name"]] = _scalar_parameter(row)
    for row in interface.get("DataPathParameters") or []:
        default = row.get("DefaultValue")
        found[row["Name"]] = Parameter(
            row["Name"], Kind.DATAPATH, read_datapath(default) if default else None, declared=True
        )
    for row in interface.get("DataPathParameterList") or []:
        default = dataset_defaults.get(row["Name"]) or row.get("DefaultValue")
        found[row["Name"]] = _dataset_parameter(row["Name"], default)
    for name, default in dataset_defaults.items():
        if name not in found:
            found[name] = _dataset_parameter(name, default)
    return found


def _scalar_parameter(row: Mapping[str, Any]) -> Parameter:
    kind = KINDS.get(str(row.get("Type", "3")).lower(), Kind.STRING)
    default = row.get("DefaultValue")
    if default is not None and not isinstance(default, str):
        default = str(default)
    # Python's bool is an int, so the SDK sends True with the type of 10 (wire.md 3.6).
    if kind is Kind.INT and default is not None and default.lower() in BOOLEAN_WORDS:
        kind = Kind.BOOL
    return Parameter(
        row["Name"],
        kind,
        default,
        optional=bool(row.get("IsOptional", True)),
        declared=bool(row.get("Declared")),
        secret=bool(row.get("Secret")),
        choices=tuple(str(choice) for choice in row.get("Choices") or ()),
    )


def _dataset_parameter(name: str, default: Mapping[str, Any] | None) -> Parameter:
    return Parameter(name, Kind.DATASET, read_dataset(default) if default else None, declared=True)

"""Writes `elements` as the JSON that is stored and that clients read; the inverse of `reading`.

The rows have the keys that the SDK posts (wire.md 5.1, 8.4 to 8.6). Keys without a counterpart in
`elements` get the SDK's usual value.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from endpoints.graph.elements import (
    ANY_FILE,
    DATASET,
    TARGET_TYPE,
    Assignment,
    DatasetNode,
    ModuleInfo,
    ModuleParameter,
    Node,
    OutputSetting,
    Port,
)
from endpoints.graph.graph import Graph
from endpoints.parameters import Kind, Parameter

KIND_CODES = {Kind.INT: "0", Kind.FLOAT: "1", Kind.BOOL: "2", Kind.STRING: "3"}
Row = dict[str, Any]
T = TypeVar("T")


def write_graph(graph: Graph) -> Row:
    edges = [
        _edge(edge.source, edge.source_port, NodeId=edge.target, PortName=edge.target_port)
        for edge in graph.edges
    ]
    edges += [
        _edge(node, port, GraphPortName=name)
        for name, (node, port) in graph.pipeline_outputs.items()
    ]
    wire: Row = {
        "ModuleNodes": [_node(node) for node in graph.nodes.values()],
        "DatasetNodes": [_dataset_node(node) for node in graph.datasets.values()],
        "Edges": edges,
    }
    if graph.timeout_seconds:
        wire["Studio"] = {"TimeoutSeconds": graph.timeout_seconds}
    return wire


def write_interface(parameters: Iterable[Parameter]) -> Row:
    """The GraphInterface. `Declared`, `Secret` and `Choices` are our own keys; the SDK ignores
    them."""
    scalars, paths, datasets = [], [], []
    for parameter in parameters:
        row: Row = {
            "Name": parameter.name,
            "DefaultValue": parameter.default,
            "IsOptional": parameter.optional,
        }
        if parameter.kind is Kind.DATAPATH:
            paths.append({**row, "DataTypeId": ANY_FILE})
        elif parameter.kind is Kind.DATASET:
            datasets.append({**row, "Documentation": "DataPath"})
        else:
            own = {
                "Declared": parameter.declared,
                "Secret": parameter.secret,
                "Choices": list(parameter.choices),
            }
            row["Type"] = KIND_CODES[parameter.kind]
            scalars.append({**row, **{key: value for key, value in own.items() if value}})
    return {"Parameters": scalars, "DataPathParameters": paths, "DataPathParameterList": datasets}


def with_defaults(
    interface: Mapping[str, Any], scalars: Mapping[str, Any], datapaths: Mapping[str, Any]
) -> Row:
    """A posted interface with other defaults for the parameters that are named."""
    given = {"Parameters": scalars, "DataPathParameters": datapaths}
    sections = {
        section: [
            {**row, "DefaultValue": values[row["Name"]]} if row["Name"] in values else row
            for row in interface.get(section) or []
        ]
        for section, values in given.items()
    }
    return {**interface, **sections}


def write_module(module: ModuleInfo) -> Row:
    """The StructuredInterface of a module."""
    parameters, metadata = _split(module.parameters)
    return {
        "CommandLinePattern": "",
        "Inputs": [_input(port) for port in module.inputs.values()],
        "Outputs": [_output(port) for port in module.outputs.values()],
        "Parameters": [_module_parameter(one) for one in parameters],
        "MetadataParameters": [_module_parameter(one) for one in metadata],
        "Arguments": [{"ValueType": one.kind, "Value": one.value} for one in module.arguments],
    }


def write_runconfig(runconfig: Mapping[str, Any]) -> str:
    return json.dumps(runconfig, sort_keys=True, default=str)


def write_data_source(name: str, datastore: str, path: str) -> Row:
    """A plain data reference (wire.md 8.7)."""
    place = {"RelativePath": path, "AmlDataStoreName": datastore}
    return {
        "Name": name,
        "DataTypeId": "AzureBlobReference",
        "DataLocation": {
            "StorageType": "DataReference",
            "DataReference": {"Type": "AzureBlob", "AzureBlobReference": place},
        },
    }


def _split(named: Mapping[str, T]) -> tuple[list[T], list[T]]:
    """The parameters, and those that the SDK calls metadata."""
    return (
        [one for name, one in named.items() if name != TARGET_TYPE],
        [one for name, one in named.items() if name == TARGET_TYPE],
    )


def _input(port: Port) -> Row:
    row = {
        "Name": port.name,
        "DataTypeIdsList": list(port.data_types),
        "IsOptional": port.is_optional,
        "SkipProcessing": port.is_fake,
    }
    return row if port.is_fake else row | _transfer(port)


def _output(port: Port) -> Row:
    row = {
        "Name": port.name,
        "DataTypeId": next(iter(port.data_types), None),
        "SkipProcessing": port.is_fake,
    }
    return row if port.is_fake else {**row, "DataStoreName": port.datastore, **_transfer(port)}


def _transfer(port: Port | OutputSetting) -> Row:
    return {
        "DataStoreMode": port.mode,
        "PathOnCompute": port.path_on_compute,
        "Overwrite": port.overwrite,
        "DataReferenceName": port.name,
    }


def _module_parameter(parameter: ModuleParameter) -> Row:
    return {
        "Name": parameter.name,
        "ParameterType": "String",
        "IsOptional": True,
        "DefaultValue": parameter.default,
        "SetEnvironmentVariable": parameter.environment_variable is not None,
        "EnvironmentVariableOverride": parameter.environment_variable,
    }


def _node(node: Node) -> Row:
    assigned, metadata = _split(node.assignments)
    return {
        "Id": node.id,
        "ModuleId": node.module_id,
        "Comment": node.comment,
        "ModuleParameters": [_assignment(one) for one in assigned],
        "ModuleMetadataParameters": [_assignment(one) for one in metadata],
        "ModuleOutputSettings": [_output_setting(one) for one in node.outputs.values()],
        "ModuleInputSettings": [
            {"Name": name, "AdditionalTransformations": text}
            for name, text in node.readings.items()
        ],
        "UseGraphDefaultCompute": False,
        "Runconfig": write_runconfig(node.runconfig),
        "RegenerateOutput": node.regenerate,
    }


def _assignment(one: Assignment) -> Row:
    return {"Name": one.name, "ValueType": "1" if one.from_graph else "0", "Value": one.value}


def _output_setting(setting: OutputSetting) -> Row:
    row = {"Name": setting.name, "DataStoreName": setting.datastore, **_transfer(setting)}
    options: Row = {}
    if setting.path_on_datastore:
        options["PathOnDatastore"] = setting.path_on_datastore
    if setting.only:
        options["SourceGlobs"] = {"GlobPatterns": list(setting.only)}
    registration: Row = {}
    if setting.register_as:
        registration |= {"Name": setting.register_as, "CreateNewVersion": True}
    if setting.register_description:
        registration["Description"] = setting.register_description
    if setting.register_tags:
        registration["Tags"] = dict(setting.register_tags)
    if setting.transformations:
        registration["AdditionalTransformations"] = setting.transformations
    row |= {"DatasetOutputOptions": options} if options else {}
    return row | ({"DatasetRegistration": registration} if registration else {})


def _dataset_node(node: DatasetNode) -> Row:
    if node.datapath_parameter:
        return {"Id": node.id, "DataPathParameterName": node.datapath_parameter}
    if node.source_id:
        return {"Id": node.id, "DatasetId": node.source_id}
    what = (
        {"ParameterName": node.dataset_parameter}
        if node.dataset_parameter
        else {"Value": dict(node.value or {})}
    )
    return {"Id": node.id, "DataSetDefinition": {"DataTypeShortName": DATASET, **what}}


def _edge(node: str, port: str, **destination: str) -> Row:
    return {
        "SourceOutputPort": {"NodeId": node, "PortName": port},
        "DestinationInputPort": destination,
    }

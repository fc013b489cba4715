"""Converts a pipeline file to wire JSON of the same shape as the SDK's (wire.md 5.1, 8.4 to 8.6),
so that one engine runs both. Ids that only the database knows are passed in as mappings."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endpoints.authoring.yaml_format.model import Pipeline, Step, StepInput, StepOutput
from endpoints.graph import RUN_AFTER_INPUT, RUN_AFTER_OUTPUT, STRUCTURED_ARGUMENTS
from endpoints.parameters import WIRE_CODES, Kind

DATA_PORT = "data"  # the one output of a dataset node


@dataclass(frozen=True)
class ModuleSpec:
    """The contents of a `POST Modules` for one step."""

    key: str
    name: str
    step_type: str
    source_directory: Path
    is_deterministic: bool
    structured_interface: dict[str, Any]
    runconfig: str

    @property
    def definition_hash(self) -> str:
        """The first half of the fingerprint; the second half is the folder's content."""
        parts = [
            self.name,
            self.step_type,
            self.is_deterministic,
            self.structured_interface,
            self.runconfig,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def modules(pipeline: Pipeline) -> list[ModuleSpec]:
    followed = {name for step in pipeline.steps.values() for name in step.run_after}
    return [
        ModuleSpec(
            key=step.key,
            name=step.name,
            step_type=step.type,
            source_directory=step.source_directory,
            is_deterministic=step.allow_reuse,
            structured_interface=_structured_interface(
                pipeline, step, is_followed=step.key in followed
            ),
            runconfig=_runconfig(step),
        )
        for step in pipeline.steps.values()
    ]


def interface(pipeline: Pipeline) -> dict[str, Any]:
    """The GraphInterface. `Declared`, `Secret` and `Choices` are our own keys; the SDK ignores
    them."""
    scalars, paths, datasets = [], [], []
    for parameter in pipeline.parameters.values():
        row: dict[str, Any] = {
            "Name": parameter.name,
            "DefaultValue": parameter.default,
            "IsOptional": parameter.optional,
        }
        if parameter.kind is Kind.DATAPATH:
            paths.append({**row, "DataTypeId": "AnyFile"})
        elif parameter.kind is Kind.DATASET:
            datasets.append({**row, "Documentation": "DataPath"})
        else:
            row |= {"Type": WIRE_CODES[parameter.kind], "Declared": True}
            row |= {"Secret": True} if parameter.secret else {}
            row |= {"Choices": list(parameter.choices)} if parameter.choices else {}
            scalars.append(row)
    return {"Parameters": scalars, "DataPathParameters": paths, "DataPathParameterList": datasets}


def graph(
    pipeline: Pipeline, *, module_ids: Mapping[str, str], source_ids: Mapping[str, str]
) -> dict[str, Any]:
    """The Graph. `module_ids` maps step keys to modules, `source_ids` data references to data
    sources."""
    used = {item.source for step in pipeline.steps.values() for item in step.inputs.values()}
    wire: dict[str, Any] = {
        "ModuleNodes": [_node(step, module_ids[step.key]) for step in pipeline.steps.values()],
        "DatasetNodes": [
            {"Id": node_id("data", name), **_data(pipeline, name, source_ids)}
            for name in [*pipeline.parameters, *pipeline.references]
            if name in used
        ],
        "Edges": _edges(pipeline),
    }
    if pipeline.timeout_seconds:
        wire["Studio"] = {"TimeoutSeconds": pipeline.timeout_seconds}
    return wire


def node_id(kind: str, name: str) -> str:
    """Short and stable, so that publishing the same file again gives the same graph."""
    return hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()[:8]


def _structured_interface(pipeline: Pipeline, step: Step, *, is_followed: bool) -> dict[str, Any]:
    inputs = [_input(pipeline, name, item) for name, item in step.inputs.items()]
    inputs += [_fake_input(index) for index in range(len(step.run_after))]
    outputs = [
        {
            "Name": name,
            "DataTypeId": "AnyFile",
            "DataStoreName": item.datastore,
            "DataStoreMode": item.mode,
            "PathOnCompute": item.path_on_compute,
            "Overwrite": item.overwrite,
            "DataReferenceName": name,
            "SkipProcessing": False,
        }
        for name, item in step.outputs.items()
    ]
    if is_followed:
        outputs.append({"Name": RUN_AFTER_OUTPUT, "DataTypeId": "AnyFile", "SkipProcessing": True})
    return {
        "CommandLinePattern": "",
        "Inputs": inputs,
        "Outputs": outputs,
        "Parameters": [
            _declared(name)
            for name in ("Target", "MLCComputeType", "Script", "Command", "Arguments")
        ]
        + [
            _declared(
                name, exported=item.is_exported, default=None if item.from_graph else item.value
            )
            for name, item in step.parameters.items()
        ],
        "MetadataParameters": [_declared("TargetType")],
        "Arguments": [{"ValueType": item.kind, "Value": item.value} for item in step.arguments],
    }


def _input(pipeline: Pipeline, name: str, item: StepInput) -> dict[str, Any]:
    parameter = pipeline.parameters.get(item.source)
    reference = pipeline.references.get(item.source)
    is_dataset = (parameter and parameter.kind is Kind.DATASET) or (reference and reference.dataset)
    return {
        "Name": name,
        "DataTypeIdsList": ["AzureMLDataset"] if is_dataset else ["AnyFile", "AnyDirectory"],
        "IsOptional": False,
        "DataStoreMode": item.mode,
        "PathOnCompute": item.path_on_compute,
        "Overwrite": item.overwrite,
        "DataReferenceName": name,
        "SkipProcessing": False,
    }


def _fake_input(index: int) -> dict[str, Any]:
    return {
        "Name": f"{RUN_AFTER_INPUT}{index}",
        "DataTypeIdsList": ["AnyFile"],
        "IsOptional": False,
        "SkipProcessing": True,
    }


def _declared(name: str, *, exported: bool = False, default: str | None = None) -> dict[str, Any]:
    variable = "AML_PARAMETER_" + re.sub(r"[~\W]", "_", name)
    return {
        "Name": name,
        "ParameterType": "String",
        "IsOptional": True,
        "DefaultValue": default,
        "SetEnvironmentVariable": exported,
        "EnvironmentVariableOverride": variable if exported else None,
    }


def _runconfig(step: Step) -> str:
    return json.dumps(step.runconfig, sort_keys=True, default=str)


def _literal(name: str, value: str | None) -> dict[str, Any]:
    return {"Name": name, "ValueType": "0", "Value": value}


def _node(step: Step, module_id: str) -> dict[str, Any]:
    main = _literal("Script", step.script) if step.script else _literal("Command", step.command)
    return {
        "Id": node_id("step", step.key),
        "ModuleId": module_id,
        "Comment": step.name,
        "ModuleParameters": [
            _literal("Target", step.compute),
            _literal("MLCComputeType", "AmlCompute"),
            main,
            _literal("Arguments", STRUCTURED_ARGUMENTS),
            *(
                {"Name": name, "ValueType": "1" if item.from_graph else "0", "Value": item.value}
                for name, item in step.parameters.items()
            ),
        ],
        "ModuleMetadataParameters": [_literal("TargetType", "mlc")],
        "ModuleOutputSettings": [
            _output_setting(name, item) for name, item in step.outputs.items()
        ],
        "ModuleInputSettings": [],
        "UseGraphDefaultCompute": False,
        "Runconfig": _runconfig(step),
        "RegenerateOutput": step.regenerate,
    }


def _output_setting(name: str, item: StepOutput) -> dict[str, Any]:
    setting: dict[str, Any] = {
        "Name": name,
        "DataStoreName": item.datastore,
        "DataStoreMode": item.mode,
        "PathOnCompute": item.path_on_compute,
        "Overwrite": item.overwrite,
        "DataReferenceName": name,
    }
    if item.path_on_datastore:
        setting["DatasetOutputOptions"] = {"PathOnDatastore": item.path_on_datastore}
    if item.register_as:
        setting["DatasetRegistration"] = {"Name": item.register_as, "CreateNewVersion": True}
    return setting


def _data(pipeline: Pipeline, name: str, source_ids: Mapping[str, str]) -> dict[str, Any]:
    parameter = pipeline.parameters.get(name)
    if parameter and parameter.kind is Kind.DATAPATH:
        return {"DataPathParameterName": name}
    if parameter:
        return {"DataSetDefinition": {"DataTypeShortName": "AzureMLDataset", "ParameterName": name}}
    reference = pipeline.references[name]
    if reference.dataset:
        return {
            "DataSetDefinition": {"DataTypeShortName": "AzureMLDataset", "Value": reference.dataset}
        }
    return {"DatasetId": source_ids[name]}


def _edges(pipeline: Pipeline) -> list[dict[str, Any]]:
    made = {
        output.destination: (node_id("step", step.key), name)
        for step in pipeline.steps.values()
        for name, output in step.outputs.items()
    }
    edges = []
    for step in pipeline.steps.values():
        target = node_id("step", step.key)
        for name, item in step.inputs.items():
            source = made.get(item.source) or (node_id("data", item.source), DATA_PORT)
            edges.append(_edge(source, {"NodeId": target, "PortName": name}))
        for index, other in enumerate(step.run_after):
            source = node_id("step", other), RUN_AFTER_OUTPUT
            edges.append(_edge(source, {"NodeId": target, "PortName": f"{RUN_AFTER_INPUT}{index}"}))
        for name, output in step.outputs.items():
            if output.pipeline_output:
                edges.append(_edge((target, name), {"GraphPortName": output.pipeline_output}))
    return edges


def _edge(source: tuple[str, str], destination: dict[str, Any]) -> dict[str, Any]:
    return {
        "SourceOutputPort": {"NodeId": source[0], "PortName": source[1]},
        "DestinationInputPort": destination,
    }

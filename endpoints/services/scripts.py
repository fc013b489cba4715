"""Builds a graph of one step from a script, which is how a run without a pipeline is executed."""

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.db import transaction

from endpoints.models import Graph, Module, Snapshot
from endpoints.services import checks
from endpoints.services.modules import create_module
from endpoints.services.pipelines import create_graph
from studio.core.access import Actor, require
from studio.core.errors import BadValue


@dataclass(frozen=True)
class ScriptInput:
    """`reference` is a DataSetDefinitionValue, which names a dataset (wire.md 8.5)."""

    name: str
    reference: Mapping[str, Any]
    mode: str = "direct"
    path_on_compute: str | None = None


@dataclass(frozen=True)
class ScriptOutput:
    name: str
    mode: str = "mount"
    datastore: str | None = None
    path: str | None = None
    path_on_compute: str | None = None
    overwrite: bool = False
    register_as: str | None = None
    register_description: str = ""
    register_tags: Mapping[str, str] = field(default_factory=dict)
    transformations: str | None = None
    only: Sequence[str] = ()


@dataclass(frozen=True)
class Script:
    """Exactly one of `script` (a file of the snapshot) and `command` (for the shell) is set."""

    snapshot_id: str
    target: str
    runconfig: Mapping[str, Any]
    script: str = ""
    command: str = ""
    arguments: tuple[str, ...] = ()
    inputs: tuple[ScriptInput, ...] = ()
    outputs: tuple[ScriptOutput, ...] = ()

    @property
    def name(self) -> str:
        return (self.script or "command")[:255]


@transaction.atomic
def create_script_graph(actor: Actor, script: Script) -> Graph:
    """The graph that runs `script` once. Its module has no fingerprint, so that no other run reuses
    it."""
    require(actor, "run code")
    module = create_module(
        actor,
        name=script.name,
        structured_interface=_interface(script),
        is_deterministic=False,  # a submitted script always runs
        step_type="CommandStep" if script.command else "PythonScriptStep",
        runconfig=json.dumps(script.runconfig),
        storage_id=script.snapshot_id,
    )
    _require_script(script, module.snapshot)
    node, sources = _node(script, module), _sources(script)
    wire = {
        "ModuleNodes": [node],
        "DatasetNodes": [source for source, _ in sources],
        "Edges": [
            {
                "SourceOutputPort": {"NodeId": source["Id"], "PortName": "data"},
                "DestinationInputPort": {"NodeId": node["Id"], "PortName": name},
            }
            for source, name in sources
        ],
    }
    return create_graph(actor, wire=checks.document("Configuration", wire), interface={})


def _require_script(script: Script, snapshot: Snapshot | None) -> None:
    if snapshot is None:
        raise BadValue("SnapshotId is required: a run is of a source folder.", target="SnapshotId")
    if script.script and posixpath.normpath(script.script) not in snapshot.files:
        raise BadValue(
            f"The script {script.script:.200} is not in the source folder.", target="script"
        )


def _interface(script: Script) -> dict[str, Any]:
    """StructuredInterface (wire.md 8.4)."""
    names = ["Command" if script.command else "Script", "Target"]
    return {
        "Inputs": [
            {
                "Name": row.name,
                "DataTypeIdsList": ["AnyFile", "AnyDirectory"],
                "DataStoreMode": row.mode,
                "PathOnCompute": row.path_on_compute,
            }
            for row in script.inputs
        ],
        "Outputs": [{"Name": row.name, "DataTypeId": "AnyDirectory"} for row in script.outputs],
        "Parameters": [{"Name": name, "ParameterType": "String"} for name in names],
        "MetadataParameters": [],
        "Arguments": [{"ValueType": "Literal", "Value": text} for text in script.arguments],
    }


def _node(script: Script, module: Module) -> dict[str, Any]:
    values = {"Target": script.target}
    values |= {"Command": script.command} if script.command else {"Script": script.script}
    return {
        "Id": uuid4().hex[:8],
        "ModuleId": str(module.uuid),
        "Comment": script.name,
        "ModuleParameters": [
            {"Name": name, "Value": value, "ValueType": "0"} for name, value in values.items()
        ],
        "ModuleOutputSettings": [_output(row) for row in script.outputs],
        "Runconfig": module.runconfig,
    }


def _output(row: ScriptOutput) -> dict[str, Any]:
    setting: dict[str, Any] = {
        "Name": row.name,
        "DataStoreName": row.datastore,
        "DataStoreMode": row.mode,
        "PathOnCompute": row.path_on_compute,
        "Overwrite": row.overwrite,
        "DatasetOutputOptions": {
            "PathOnDatastore": row.path or "dataset/{run-id}/{output-name}",
            "SourceGlobs": {"GlobPatterns": [*row.only]},
        },
    }
    if row.register_as:
        setting["DatasetRegistration"] = {
            "Name": row.register_as,
            "CreateNewVersion": True,
            "Description": row.register_description,
            "Tags": dict(row.register_tags),
            "AdditionalTransformations": row.transformations,
        }
    return setting


def _sources(script: Script) -> list[tuple[dict[str, Any], str]]:
    """The dataset nodes, each with the name of the input that reads it."""
    return [
        (
            {
                "Id": uuid4().hex[:8],
                "DataSetDefinition": {
                    "DataTypeShortName": "AzureMLDataset",
                    "Value": dict(row.reference),
                },
            },
            row.name,
        )
        for row in script.inputs
    ]

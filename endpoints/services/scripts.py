"""Builds a graph of one step from a script, which is how a run without a pipeline is executed."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.db import transaction

from endpoints import graph as graphs
from endpoints.blueprints import Blueprint
from endpoints.graph import (
    ANY_DIRECTORY,
    COMMAND,
    COMMAND_STEP,
    DATA_PORT,
    PYTHON_STEP,
    SCRIPT,
    TARGET,
    Argument,
    Assignment,
    DatasetNode,
    Edge,
    ModuleInfo,
    ModuleParameter,
    Node,
    OutputSetting,
    Port,
)
from endpoints.models import Graph, Snapshot
from endpoints.services.modules import store_module
from endpoints.services.pipelines import store_graph
from studio.core.access import Actor, require
from studio.core.errors import BadValue


@dataclass(frozen=True)
class Script:
    """Exactly one of `script` (a file of the snapshot) and `command` (for the shell) is set.
    `datasets` has what each input reads: a DataSetDefinitionValue (wire.md 8.5)."""

    snapshot_id: str
    target: str
    runconfig: Mapping[str, Any]
    script: str = ""
    command: str = ""
    arguments: tuple[str, ...] = ()
    inputs: tuple[Port, ...] = ()
    datasets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    outputs: tuple[OutputSetting, ...] = ()

    @property
    def name(self) -> str:
        return (self.script or "command")[:255]

    @property
    def values(self) -> dict[str, str]:
        """The values of the module's parameters."""
        code = {COMMAND: self.command} if self.command else {SCRIPT: self.script}
        return {**code, TARGET: self.target}

    @property
    def module(self) -> ModuleInfo:
        outputs = [Port(one.name, data_types=(ANY_DIRECTORY,)) for one in self.outputs]
        return ModuleInfo(
            name=self.name,
            step_type=COMMAND_STEP if self.command else PYTHON_STEP,
            is_deterministic=False,  # a submitted script always runs
            inputs={port.name: port for port in self.inputs},
            outputs={port.name: port for port in outputs},
            parameters={name: ModuleParameter(name) for name in self.values},
            arguments=tuple(Argument("Literal", text) for text in self.arguments),
            runconfig=self.runconfig,
        )


@transaction.atomic
def create_script_graph(actor: Actor, script: Script) -> Graph:
    """The graph that runs `script` once. Its module has no fingerprint, so that no other run reuses
    it."""
    require(actor, "run code")
    module = store_module(actor, script.module, storage_id=script.snapshot_id)
    _require_script(script, module.snapshot)
    graph = script_graph(script, str(module.uuid))
    return store_graph(actor, Blueprint.of(graph, dict.fromkeys(graph.nodes, module), {}))


def _require_script(script: Script, snapshot: Snapshot | None) -> None:
    files = snapshot.files if snapshot else {}
    if script.script and posixpath.normpath(script.script) not in files:
        raise BadValue(
            f"The script {script.script:.200} is not in the source folder.", target="script"
        )


def script_graph(script: Script, module_id: str) -> graphs.Graph:
    node = Node(
        id=uuid4().hex[:8],
        module_id=module_id,
        name=script.name,
        comment=script.name,
        assignments={name: Assignment(name, False, text) for name, text in script.values.items()},
        outputs={one.name: one for one in script.outputs},
        runconfig=script.runconfig,
        module=script.module,
    )
    sources = {
        name: DatasetNode(uuid4().hex[:8], value=value) for name, value in script.datasets.items()
    }
    return graphs.Graph.of(
        nodes=[node],
        datasets=sources.values(),
        edges=[Edge(source.id, DATA_PORT, node.id, name) for name, source in sources.items()],
    )

"""Nodes of steps, with the parameters and ports that a step of the SDK has (wire.md 8.4, 8.5)."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from endpoints.graph import (
    ANY_FILE,
    ARGUMENTS,
    COMMAND,
    COMPUTE_TYPE,
    RUN_AFTER_INPUT,
    RUN_AFTER_OUTPUT,
    SCRIPT,
    STRUCTURED_ARGUMENTS,
    TARGET,
    TARGET_TYPE,
    Argument,
    Assignment,
    ModuleInfo,
    ModuleParameter,
    Node,
    OutputSetting,
    Port,
    variable_of,
)

Bound = tuple[ModuleParameter, Assignment]  # a parameter of a step, and its value


def node_id(kind: str, name: str) -> str:
    """Short and stable, so that publishing the same file again gives the same graph."""
    return hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()[:8]


def bound_to(name: str, value: str, *, from_graph: bool = False, exported: bool = True) -> Bound:
    """A parameter of a step with a literal or, `from_graph`, the name of a pipeline parameter. If
    `exported`, the step has it as an environment variable."""
    declared = ModuleParameter(
        name,
        default=None if from_graph else value,
        environment_variable=variable_of(name) if exported else None,
    )
    return declared, Assignment(name, from_graph, value)


def step_node(
    key: str,
    *,
    name: str,
    step_type: str,
    values: Mapping[str, str],
    parameters: Mapping[str, Bound],
    arguments: tuple[Argument, ...],
    inputs: Mapping[str, Port],
    outputs: Mapping[str, OutputSetting],
    runconfig: Mapping[str, Any],
    allow_reuse: bool,
    regenerate: bool,
) -> Node:
    """The node and its module. `values` are the compute target and the script or command."""
    fixed = (TARGET, COMPUTE_TYPE, SCRIPT, COMMAND, ARGUMENTS)
    given = {**values, COMPUTE_TYPE: "AmlCompute", ARGUMENTS: STRUCTURED_ARGUMENTS}
    module = ModuleInfo(
        name=name,
        step_type=step_type,
        is_deterministic=allow_reuse,
        inputs=inputs,
        outputs={port: _output_port(setting) for port, setting in outputs.items()},
        parameters={
            **{one: ModuleParameter(one) for one in fixed},
            **{one: declared for one, (declared, _) in parameters.items()},
            TARGET_TYPE: ModuleParameter(TARGET_TYPE),
        },
        arguments=arguments,
        runconfig=runconfig,
    )
    return Node(
        id=node_id("step", key),
        module_id="",
        name=name,
        comment=name,
        assignments={
            **{one: Assignment(one, False, given[one]) for one in fixed if one in given},
            **{one: assigned for one, (_, assigned) in parameters.items()},
            TARGET_TYPE: Assignment(TARGET_TYPE, False, "mlc"),
        },
        outputs=outputs,
        runconfig=runconfig,
        regenerate=regenerate,
        module=module,
    )


def _output_port(setting: OutputSetting) -> Port:
    return Port(
        name=setting.name,
        mode=setting.mode,
        path_on_compute=setting.path_on_compute,
        overwrite=setting.overwrite,
        datastore=setting.datastore,
        data_types=(ANY_FILE,),
    )


def fake_inputs(count: int) -> dict[str, Port]:
    """The inputs by which a step waits for others."""
    names = [f"{RUN_AFTER_INPUT}{index}" for index in range(count)]
    return {name: Port(name, data_types=(ANY_FILE,), is_fake=True) for name in names}


def followed(node: Node) -> Node:
    """The node with the output that the steps after it wait for."""
    fake = Port(RUN_AFTER_OUTPUT, data_types=(ANY_FILE,), is_fake=True)
    outputs = {**node.module.outputs, RUN_AFTER_OUTPUT: fake}
    return replace(node, module=replace(node.module, outputs=outputs))

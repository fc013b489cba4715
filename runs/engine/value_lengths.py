"""Checks, before a run is created, that its values are short enough to be passed to the steps."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from endpoints.blueprints import Blueprint
from endpoints.graph import STRUCTURED_ARGUMENTS, Node
from endpoints.parameters import ParameterErrors
from runs.steps.process_limits import LONGEST_TEXT, MOST_VARIABLES, is_too_long, size

FAR_BELOW = 8 * 1024  # if all values together are shorter, they fit anywhere, even quoted fivefold
A_PLACE = 512  # estimated bytes of the path of an input or output


def check_lengths(blueprint: Blueprint, values: Mapping[str, str]) -> None:
    """Refuse values that are too long for a command line, or for a variable if passed only in one."""
    if sum(map(size, values.values())) < FAR_BELOW:
        return
    errors: dict[str, str] = {}
    for node in blueprint.graph.nodes.values():
        if node.command is None:
            _check_variables(node, values, errors)
        else:
            _check_command(node, values, errors)
    if errors:
        raise ParameterErrors(errors)


def in_arguments(node: Node, values: Mapping[str, str]) -> set[str]:
    """The module's parameters that appear in the step's arguments."""
    return {each.value for each in node.arguments(values) if each.kind == "Parameter"}


def _check_command(node: Node, values: Mapping[str, str], errors: dict[str, str]) -> None:
    text = "" if node.command == STRUCTURED_ARGUMENTS else node.command or ""
    total = size(text)
    used: dict[str, int] = {}
    for argument in node.module.arguments:
        if argument.kind == "Parameter":
            value = node.value(argument.value, values) or ""
            used[argument.value] = size(value)
            total += size(shlex.quote(value)) + 1
        else:
            total += A_PLACE if argument.kind in ("Input", "Output") else size(argument.value) + 3
    for name, declared in node.module.parameters.items():
        variable, value = declared.environment_variable, node.value(name, values) or ""
        if (
            variable
            and is_too_long(variable, value)
            and re.search(rf"\b{re.escape(variable)}\b", text)
        ):
            used[name] = size(value)
            total = max(total, used[name])
    if total > LONGEST_TEXT and used:
        longest = max(used, key=lambda name: used[name])
        _refuse(
            node,
            longest,
            values,
            errors,
            f"step {node.name} puts it into a command, which may have at most {LONGEST_TEXT:,} bytes."
            " Pass it as a file of a dataset or data path, or use a PythonScriptStep.",
        )


def _check_variables(node: Node, values: Mapping[str, str], errors: dict[str, str]) -> None:
    in_argument = in_arguments(node, values)
    exported = node.environment_variables(values)
    only = {
        name: exported[declared.environment_variable]
        for name, declared in node.module.parameters.items()
        if name not in in_argument and declared.environment_variable in exported
    }
    is_much = sum(map(size, only.values())) > MOST_VARIABLES // 2
    for name, value in only.items():
        variable = node.module.parameters[name].environment_variable or ""
        if is_too_long(variable, value) or (is_much and value == max(only.values(), key=size)):
            _refuse(
                node,
                name,
                values,
                errors,
                f"step {node.name} gets it as the variable {variable} only. A variable may have at"
                f" most {LONGEST_TEXT:,} bytes, and all variables together {MOST_VARIABLES // 2:,}."
                " Add it to the step's arguments, where a script gets it whatever its length.",
            )


def _refuse(
    node: Node, name: str, values: Mapping[str, Any], errors: dict[str, str], why: str
) -> None:
    assignment = node.assignments.get(name)
    if assignment is None or not assignment.from_graph:
        return  # the pipeline's author set the value, and callers cannot change it
    parameter = assignment.value or name
    length = size(values.get(parameter) or "")
    errors.setdefault(parameter, f"Parameter {parameter} has {length:,} bytes: {why}")

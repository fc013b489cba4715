"""Reads the run configuration of a step."""

import re
from collections.abc import Mapping
from typing import Any

from endpoints.graph.elements import (
    GraphError,
)
from endpoints.graph.reading.checks import mapping
from studio.core import numbers

VARIABLES = "environmentVariables"
VARIABLE_NAME = re.compile(r"[^=\0\n]+")


def read_runconfig(text: object, path: str) -> Mapping[str, Any]:
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

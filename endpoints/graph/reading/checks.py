"""Objects and lists of posted JSON; what they are not is an error that names its place."""

from collections.abc import Mapping
from typing import Any

from endpoints.graph.elements import (
    GraphError,
)

MOST_ROWS = 20_000  # steps, edges, parameters


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


def as_text(value: object) -> str | None:
    """Values of module parameters are texts; older clients send bare numbers."""
    return None if value is None else str(value)

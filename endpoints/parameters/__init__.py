"""Pipeline parameters: declarations, coercion, defaults, "did you mean". Pure Python."""

from endpoints.parameters.declarations import (
    WIRE_CODES,
    Kind,
    Parameter,
    PathParameter,
    Unreadable,
    datapath_text,
    parse,
    read_datapath,
    read_dataset,
    with_dataset_nodes,
    with_destinations,
)
from endpoints.parameters.values import ParameterErrors, Resolved, coerce, nearest, resolve

__all__ = [
    "WIRE_CODES",
    "Kind",
    "Parameter",
    "ParameterErrors",
    "PathParameter",
    "Resolved",
    "Unreadable",
    "coerce",
    "datapath_text",
    "nearest",
    "parse",
    "read_datapath",
    "read_dataset",
    "resolve",
    "with_dataset_nodes",
    "with_destinations",
]

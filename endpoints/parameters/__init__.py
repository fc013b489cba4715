"""Pipeline parameters: declarations, coercion, defaults, "did you mean". Pure Python."""

from endpoints.parameters.declarations import (
    BOOLEAN_WORDS,
    Kind,
    Parameter,
    PathParameter,
    Unreadable,
    datapath_text,
    read_datapath,
    read_dataset,
    with_dataset_nodes,
    with_destinations,
)
from endpoints.parameters.values import ParameterErrors, Resolved, coerce, nearest, resolve

__all__ = [
    "BOOLEAN_WORDS",
    "Kind",
    "Parameter",
    "ParameterErrors",
    "PathParameter",
    "Resolved",
    "Unreadable",
    "coerce",
    "datapath_text",
    "nearest",
    "read_datapath",
    "read_dataset",
    "resolve",
    "with_dataset_nodes",
    "with_destinations",
]

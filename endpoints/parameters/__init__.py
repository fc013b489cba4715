"""Pipeline parameters: declarations, coercion, defaults, "did you mean". Pure Python."""

from endpoints.parameters.declarations import (
    BOOLEAN_WORDS,
    Kind,
    Parameter,
    PathParameter,
    with_dataset_nodes,
    with_destinations,
)
from endpoints.parameters.references import (
    DATAPATH_KEYS,
    REGISTERED,
    SAVED,
    Unreadable,
    datapath,
    datapath_parts,
    datapath_text,
    dataset_text,
    read_datapath,
    read_dataset,
    registered_dataset,
    saved_dataset,
)
from endpoints.parameters.values import ParameterErrors, Resolved, coerce, nearest, resolve

__all__ = [
    "BOOLEAN_WORDS",
    "DATAPATH_KEYS",
    "REGISTERED",
    "SAVED",
    "Kind",
    "Parameter",
    "ParameterErrors",
    "PathParameter",
    "Resolved",
    "Unreadable",
    "coerce",
    "datapath",
    "datapath_parts",
    "datapath_text",
    "dataset_text",
    "nearest",
    "read_datapath",
    "read_dataset",
    "registered_dataset",
    "resolve",
    "saved_dataset",
    "with_dataset_nodes",
    "with_destinations",
]

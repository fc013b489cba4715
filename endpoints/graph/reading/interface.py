"""Reads the parameters of a posted graph."""

from collections.abc import Mapping
from typing import Any

from endpoints.parameters import BOOLEAN_WORDS, Kind, Parameter, read_datapath, read_dataset

# A parameter's Type is sent as a number in text; a later client may send the words (wire.md 3.6).
KINDS = {
    "0": Kind.INT,
    "1": Kind.FLOAT,
    "2": Kind.BOOL,
    "3": Kind.STRING,
    "4": Kind.STRING,
    "int": Kind.INT,
    "double": Kind.FLOAT,
    "float": Kind.FLOAT,
    "bool": Kind.BOOL,
    "string": Kind.STRING,
}


def read_interface(
    interface: Mapping[str, Any] | None, dataset_defaults: Mapping[str, Any] | None = None
) -> dict[str, Parameter]:
    """The parameters of a GraphInterface (wire.md 5.1, 8.6) by name, in the order of their
    declaration.

    `dataset_defaults` are the DataSetDefinitionValueAssignments posted with it. They override the
    interface's own default, which names a dataset instead of the saved definition.
    """
    interface = interface or {}
    dataset_defaults = dataset_defaults or {}
    found: dict[str, Parameter] = {}
    for row in interface.get("Parameters") or []:
        found[row["Name"]] = _scalar_parameter(row)
    for row in interface.get("DataPathParameters") or []:
        default = row.get("DefaultValue")
        found[row["Name"]] = Parameter(
            row["Name"], Kind.DATAPATH, read_datapath(default) if default else None, declared=True
        )
    for row in interface.get("DataPathParameterList") or []:
        default = dataset_defaults.get(row["Name"]) or row.get("DefaultValue")
        found[row["Name"]] = _dataset_parameter(row["Name"], default)
    for name, default in dataset_defaults.items():
        if name not in found:
            found[name] = _dataset_parameter(name, default)
    return found


def _scalar_parameter(row: Mapping[str, Any]) -> Parameter:
    kind = KINDS.get(str(row.get("Type", "3")).lower(), Kind.STRING)
    default = row.get("DefaultValue")
    if default is not None and not isinstance(default, str):
        default = str(default)
    # Python's bool is an int, so the SDK sends True with the type of 10 (wire.md 3.6).
    if kind is Kind.INT and default is not None and default.lower() in BOOLEAN_WORDS:
        kind = Kind.BOOL
    return Parameter(
        row["Name"],
        kind,
        default,
        optional=bool(row.get("IsOptional", True)),
        declared=bool(row.get("Declared")),
        secret=bool(row.get("Secret")),
        choices=tuple(str(choice) for choice in row.get("Choices") or ()),
    )


def _dataset_parameter(name: str, default: Mapping[str, Any] | None) -> Parameter:
    return Parameter(name, Kind.DATASET, read_dataset(default) if default else None, declared=True)

"""Reads the interface of a module."""

from collections.abc import Mapping
from typing import Any

from endpoints.graph.elements import (
    PYTHON_STEP,
    RUN_AFTER_INPUT,
    RUN_AFTER_OUTPUT,
    Argument,
    ModuleInfo,
    ModuleParameter,
    Port,
)
from endpoints.graph.reading.checks import as_text, mapping, rows
from endpoints.graph.reading.runconfig import read_runconfig


def read_module(
    interface: Mapping[str, Any],
    *,
    name: str = "",
    step_type: str = PYTHON_STEP,
    is_deterministic: bool = True,
    runconfig: str = "",
) -> ModuleInfo:
    """A module: its StructuredInterface, and the Runconfig for nodes that have none."""
    where = f"Module {name}.StructuredInterface"
    interface = mapping(interface, where)
    declared = [
        *rows(interface, "Parameters", where),
        *rows(interface, "MetadataParameters", where),
    ]
    return ModuleInfo(
        name=name,
        step_type=step_type,
        is_deterministic=is_deterministic,
        inputs={row["Name"]: _read_input(row) for row in rows(interface, "Inputs", where)},
        outputs={row["Name"]: _read_output(row) for row in rows(interface, "Outputs", where)},
        parameters={row["Name"]: _module_parameter(row) for row in declared},
        arguments=tuple(
            Argument(str(row.get("ValueType") or "Literal"), as_text(row.get("Value")) or "")
            for row in rows(interface, "Arguments", where, key=None)
        ),
        runconfig=read_runconfig(runconfig, f"Module {name}.Runconfig"),
    )


def _read_input(row: Mapping[str, Any]) -> Port:
    types = row.get("DataTypeIdsList") or []
    return Port(
        name=row["Name"],
        mode=str(row.get("DataStoreMode") or "mount").lower(),
        path_on_compute=as_text(row.get("PathOnCompute")) or None,
        overwrite=bool(row.get("Overwrite")),
        data_types=tuple(str(item) for item in types) if isinstance(types, list) else (),
        is_fake=bool(row.get("SkipProcessing")) or row["Name"].startswith(RUN_AFTER_INPUT),
        is_optional=bool(row.get("IsOptional")),
    )


def _read_output(row: Mapping[str, Any]) -> Port:
    return Port(
        name=row["Name"],
        mode=str(row.get("DataStoreMode") or "mount").lower(),
        path_on_compute=as_text(row.get("PathOnCompute")) or None,
        overwrite=bool(row.get("Overwrite")),
        datastore=row.get("DataStoreName") or None,
        data_types=(str(row["DataTypeId"]),) if row.get("DataTypeId") else (),
        is_fake=bool(row.get("SkipProcessing")) or row["Name"] == RUN_AFTER_OUTPUT,
    )


def _module_parameter(row: Mapping[str, Any]) -> ModuleParameter:
    variable = None
    if row.get("SetEnvironmentVariable"):
        variable = row.get("EnvironmentVariableOverride") or f"AML_PARAMETER_{row['Name']}"
    return ModuleParameter(row["Name"], as_text(row.get("DefaultValue")), variable)

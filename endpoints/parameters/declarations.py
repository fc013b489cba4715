"""The parameters that an interface declares: their kinds and defaults."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from endpoints.parameters.references import datapath_text

BOOLEAN_WORDS = {"true": "True", "false": "False"}


class Kind(StrEnum):
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    STRING = "string"
    DATAPATH = "datapath"
    DATASET = "dataset"

    @property
    def is_scalar(self) -> bool:
        return self not in (Kind.DATAPATH, Kind.DATASET)


@dataclass(frozen=True)
class PathParameter:
    """A parameter that the destination of an output names. The SDK sends no default if it is a data
    path."""

    name: str
    default: str | None
    is_datapath: bool


@dataclass(frozen=True)
class Parameter:
    """`default` is wire text for scalars, `{DataStoreName, RelativePath}` for data paths and a
    dataset reference for datasets; None means that the caller must supply a value."""

    name: str
    kind: Kind
    default: str | Mapping[str, Any] | None = None
    optional: bool = True
    declared: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()

    @property
    def is_scalar(self) -> bool:
        return self.kind.is_scalar

    @property
    def is_required(self) -> bool:
        """Whether a call must assign a value. The SDK posts a default of None as an optional parameter
        without one: the step then gets no value."""
        if self.default is not None:
            return False
        return not self.is_scalar or self.declared or not self.optional

    @property
    def default_text(self) -> str:
        """The default as ParameterAssignments spell it (wire.md 5.2); empty if there is none."""
        if self.kind is Kind.DATAPATH and isinstance(self.default, Mapping):
            return datapath_text(self.default)
        return self.default if isinstance(self.default, str) else ""

    @property
    def section(self) -> str:
        """The key of a trigger's body under which this parameter is assigned."""
        if self.kind is Kind.DATASET:
            return "DataSetDefinitionValueAssignments"
        return "DataPathAssignments" if self.kind is Kind.DATAPATH else "ParameterAssignments"


def with_dataset_nodes(
    found: Mapping[str, Parameter], names: Iterable[str]
) -> dict[str, Parameter]:
    """Add dataset parameters that only the graph's nodes mention: the SDK leaves them out of the
    interface when they are used in `inputs=` only (wire.md 8.5)."""
    return {
        **found,
        **{
            name: Parameter(name, Kind.DATASET, declared=True)
            for name in names
            if name not in found
        },
    }


def with_destinations(
    found: Mapping[str, Parameter], asked: Iterable[PathParameter]
) -> dict[str, Parameter]:
    """Add the parameters that only destinations of outputs mention: the SDK does not declare
    them."""
    added = {
        one.name: Parameter(
            one.name,
            Kind.DATAPATH if one.is_datapath else Kind.STRING,
            one.default,
            declared=one.is_datapath,
        )
        for one in asked
        if one.name not in found
    }
    return {**found, **added}

"""Reads the v1 YAML pipeline format (`pipeline:` with `parameters`, `data_references`, `steps`).

The keys are those of the v1 reference; our own are marked below. An unknown key is refused.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from endpoints.authoring.yaml_format.model import Pipeline, Reference
from endpoints.authoring.yaml_format.source import Value, YamlError, load
from endpoints.authoring.yaml_format.steps import StepReader
from endpoints.parameters import (
    Kind,
    Parameter,
    Unreadable,
    coerce,
    datapath,
    registered_dataset,
    saved_dataset,
)

T = TypeVar("T")
PIPELINE_KEYS = frozenset({"name", "description", "parameters", "data_references", "default_compute", "steps"}) | {
    "version", "continue_on_step_failure", "timeout_seconds",  # ours
}  # fmt: skip
PARAMETER_KEYS = frozenset({"type", "default"}) | {"secret", "choices"}  # the last two are ours
REFERENCE_KEYS = frozenset(
    {"datastore", "path_on_datastore", "dataset_name", "dataset_id", "version"}
)
DATASET_KEYS = frozenset({"dataset_name", "dataset_id", "version"})
DATAPATH_KEYS = frozenset({"datastore", "path_on_datastore", "name"})
FILE_NAMES = ("pipeline.yml", "pipeline.yaml")
# v1's default of a parameter that names none. A string without a default must be given by the
# caller.
TYPE_DEFAULTS = {Kind.INT: "0", Kind.FLOAT: "0.0", Kind.BOOL: "False"}


def find(path: Path) -> Path:
    """The pipeline file: `path` itself, or the one in that folder."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise YamlError(f"{path}: There is no such file or folder.")
    for name in FILE_NAMES:
        if (path / name).is_file():
            return path / name
    found = sorted([*path.glob("*.yml"), *path.glob("*.yaml")])
    if len(found) == 1:
        return found[0]
    raise YamlError(f"{path.name}: The folder holds no pipeline.yml.")


def read(path: Path) -> Pipeline:
    """The pipeline of the file or folder `path`. Everything it names must be inside its folder."""
    file = find(path)
    document = load(file)
    top = document.mapping(frozenset({"pipeline"}))
    if "pipeline" not in top:
        raise document.fail("The file must have a `pipeline:` section.")
    keys = top["pipeline"].mapping(PIPELINE_KEYS)
    parameters = _section(keys, "parameters", _parameter)
    references = _section(keys, "data_references", _reference)
    for name in references:
        if name in parameters:
            raise keys["data_references"].mapping()[name].fail("A parameter has this name already.")
    if "steps" not in keys or not keys["steps"].mapping():
        raise (keys.get("steps") or top["pipeline"]).fail("A pipeline needs at least one step.")
    steps = StepReader(
        root=file.parent,
        parameters=parameters,
        references=references,
        default_compute=keys["default_compute"].name() if "default_compute" in keys else None,
    ).read(keys["steps"])
    name = keys["name"].name() if "name" in keys else file.resolve().parent.name
    return Pipeline(
        name=name,
        description=keys["description"].text() if "description" in keys else "",
        version=keys["version"].text() if "version" in keys else "",
        parameters=parameters,
        references=references,
        steps=steps,
        continue_on_step_failure=(
            "continue_on_step_failure" in keys and keys["continue_on_step_failure"].boolean()
        ),
        timeout_seconds=keys["timeout_seconds"].count() if "timeout_seconds" in keys else 0,
        file=file,
    )


def _section(keys: dict[str, Value], name: str, one: Callable[[str, Value], T]) -> dict[str, T]:
    values = keys[name].mapping() if name in keys else {}
    return {key: one(key, value) for key, value in values.items()}


def _parameter(name: str, value: Value) -> Parameter:
    keys = value.mapping(PARAMETER_KEYS)
    if "type" not in keys:
        raise value.fail(f"Expected `type:`, one of {', '.join(Kind)}.")
    kind = Kind(keys["type"].choice(*Kind))
    secret = "secret" in keys and keys["secret"].boolean()
    choices = tuple(item.text() for item in keys["choices"].items()) if "choices" in keys else ()
    if not kind.is_scalar and (secret or choices):
        raise value.fail(f"A parameter of type {kind} has no secret and no choices.")
    default = None
    if "default" in keys and not keys["default"].is_null:
        default = _default(kind, keys["default"])
    if secret and default:
        raise keys["default"].fail(
            "A secret has no default: all who read the pipeline would see it."
        )
    bare = Parameter(name, kind, declared=True, secret=secret, choices=choices)
    if kind.is_scalar:
        default = _scalar_default(bare, default, keys.get("default", value))
    return Parameter(
        name,
        kind,
        default,
        optional=default is not None,
        declared=True,
        secret=secret,
        choices=choices,
    )


def _scalar_default(parameter: Parameter, default: Any, value: Value) -> str | None:
    if default is None and not parameter.choices:
        default = TYPE_DEFAULTS.get(parameter.kind)
    if default is None:
        return None
    try:
        return coerce(parameter, default)[0]
    except Unreadable as error:
        raise value.fail(str(error)) from error


def _default(kind: Kind, value: Value) -> str | dict[str, Any]:
    if kind is Kind.DATAPATH:
        keys = value.mapping(DATAPATH_KEYS)
        if "datastore" not in keys or "path_on_datastore" not in keys:
            raise value.fail("A data path needs datastore and path_on_datastore.")
        return datapath(keys["datastore"].name(), keys["path_on_datastore"].text())
    if kind is Kind.DATASET:
        return _dataset(value, value.mapping(DATASET_KEYS))
    return value.text()


def _dataset(value: Value, keys: dict[str, Value]) -> dict[str, Any]:
    if "dataset_id" in keys:
        return saved_dataset(keys["dataset_id"].name())
    if "dataset_name" not in keys:
        raise value.fail("Expected dataset_name or dataset_id.")
    version = keys["version"].name() if "version" in keys else ""
    return registered_dataset(keys["dataset_name"].name(), version)


def _reference(name: str, value: Value) -> Reference:
    keys = value.mapping(REFERENCE_KEYS)
    if "datastore" not in keys:
        return Reference(name, dataset=_dataset(value, keys))
    if "path_on_datastore" not in keys:
        raise value.fail("A data reference needs path_on_datastore beside its datastore.")
    return Reference(name, keys["datastore"].name(), keys["path_on_datastore"].text())

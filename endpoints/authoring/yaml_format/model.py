"""What a pipeline file contains, before it becomes wire JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from endpoints.graph import Argument
from endpoints.parameters import Parameter


@dataclass(frozen=True)
class Reference:
    """An entry of `data_references`: a place on a datastore, or a dataset."""

    name: str
    datastore: str | None = None
    path: str = ""
    dataset: Mapping[str, Any] | None = None  # a DataSetDefinitionValue


@dataclass(frozen=True)
class StepInput:
    source: str
    mode: str = "mount"
    path_on_compute: str | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class StepOutput:
    destination: str
    datastore: str = "workspaceblobstore"
    mode: str = "mount"
    path_on_compute: str | None = None
    overwrite: bool = False
    path_on_datastore: str | None = None
    register_as: str | None = None
    pipeline_output: str | None = None


@dataclass(frozen=True)
class StepParameter:
    """A value for a step: the name of a pipeline parameter (`from_graph`), or a literal."""

    from_graph: bool
    value: str
    is_exported: bool = True  # as AML_PARAMETER_*; runconfig parameters are not


@dataclass(frozen=True)
class Step:
    key: str
    name: str
    type: str
    compute: str
    source_directory: Path
    script: str | None = None
    command: str | None = None
    arguments: tuple[Argument, ...] = ()
    inputs: Mapping[str, StepInput] = field(default_factory=dict)
    outputs: Mapping[str, StepOutput] = field(default_factory=dict)
    parameters: Mapping[str, StepParameter] = field(default_factory=dict)
    run_after: tuple[str, ...] = ()
    runconfig: Mapping[str, Any] = field(default_factory=dict)
    allow_reuse: bool = True
    regenerate: bool = False


@dataclass(frozen=True)
class Pipeline:
    name: str
    description: str
    version: str
    parameters: Mapping[str, Parameter]
    references: Mapping[str, Reference]
    steps: Mapping[str, Step]
    file: Path
    continue_on_step_failure: bool = False
    timeout_seconds: int = 0

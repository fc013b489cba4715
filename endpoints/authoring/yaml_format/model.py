"""What a pipeline file contains: the nodes of its steps, and what names in the file stand for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endpoints.graph import Node
from endpoints.parameters import Parameter


@dataclass(frozen=True)
class Reference:
    """An entry of `data_references`: a place on a datastore, or a dataset."""

    name: str
    datastore: str | None = None
    path: str = ""
    dataset: Mapping[str, Any] | None = None  # a DataSetDefinitionValue


@dataclass(frozen=True)
class Step:
    """The node of a step, whose `module_id` is set once there is a module for it. The mappings have
    names of ports as keys."""

    key: str
    node: Node
    source_directory: Path
    sources: Mapping[str, str]  # inputs: the parameter, reference or destination that each reads
    destinations: Mapping[str, str]  # outputs: the names under which other steps read them
    pipeline_outputs: Mapping[str, str]
    run_after: tuple[str, ...] = ()


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

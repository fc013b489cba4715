"""The parts of a pipeline graph: ports, nodes, edges and what a step asks for (wire.md 8.4 to 8.6)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from endpoints.parameters import PathParameter

RUN_AFTER_OUTPUT = "_run_after_output"
RUN_AFTER_INPUT = "_run_after_input_"
DATA_PORT = "data"  # the one output of a dataset node
STRUCTURED_ARGUMENTS = "USE_STRUCTURED_ARGUMENTS"
# In plain arguments, a word that stands for an input or output, or for a parameter.
PORT_WORD, PARAMETER_WORD = "$AZUREML_DATAREFERENCE_", "$AML_PARAMETER_"

# Parameters that modules have for the code of their step and for its compute target. Nothing here
# reads the last two, which say what kind of target it is.
SCRIPT, COMMAND, TARGET, ARGUMENTS = "Script", "Command", "Target", "Arguments"
COMPUTE_TYPE, TARGET_TYPE = "MLCComputeType", "TargetType"
# Types of steps and of data, as modules and their ports name them.
PYTHON_STEP, COMMAND_STEP = "PythonScriptStep", "CommandStep"
ANY_FILE, ANY_DIRECTORY, DATASET = "AnyFile", "AnyDirectory", "AzureMLDataset"

# The text that `str()` makes of a PipelineParameter. If its default is a DataPath, only the class's
# name is left of that.
PATH_PARAMETER = re.compile(r"PipelineParameter_Name:(.+?)_Default:(.*)", re.DOTALL)
DATAPATH_DEFAULT = re.compile(r"^<azureml\.data\.datapath\.DataPath object at 0x\w+>")


class GraphError(ValidationError):
    """The graph cannot be run; `path` is the place of the error in the posted JSON."""

    def __init__(self, path: str, reason: str):
        super().__init__({path: [reason]})
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def variable_of(parameter: str) -> str:
    """The environment variable that exports a module parameter."""
    return "AML_PARAMETER_" + re.sub(r"[~\W]", "_", parameter)


def count(value: Any) -> int:
    """A whole number of at least 0; anything else counts as 0, which means off."""
    try:
        return max(0, int(float(value)))
    except (TypeError, ValueError, OverflowError):
        return 0


@dataclass(frozen=True)
class Port:
    """An input or output of a module."""

    name: str
    mode: str = "mount"
    path_on_compute: str | None = None
    overwrite: bool = False
    datastore: str | None = None
    data_types: tuple[str, ...] = ()
    is_fake: bool = False  # made by `run_after`: an order without data
    is_optional: bool = False


@dataclass(frozen=True)
class ModuleParameter:
    name: str
    default: str | None = None
    environment_variable: str | None = None


@dataclass(frozen=True)
class Argument:
    """One part of argv; kind is Literal, Parameter, Input or Output."""

    kind: str
    value: str


@dataclass(frozen=True)
class ModuleInfo:
    """What a graph needs of a module: its name and its StructuredInterface."""

    name: str = ""
    step_type: str = PYTHON_STEP
    is_deterministic: bool = True
    inputs: Mapping[str, Port] = field(default_factory=dict)
    outputs: Mapping[str, Port] = field(default_factory=dict)
    parameters: Mapping[str, ModuleParameter] = field(default_factory=dict)
    arguments: tuple[Argument, ...] = ()
    runconfig: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Assignment:
    """The value of a module parameter on a node: a literal, or the name of a graph parameter."""

    name: str
    from_graph: bool
    value: str | None


@dataclass(frozen=True)
class OutputSetting:
    name: str
    datastore: str | None = None
    mode: str = "mount"
    path_on_compute: str | None = None
    overwrite: bool = False
    path_on_datastore: str | None = None
    register_as: str | None = None
    register_description: str = ""
    register_tags: Mapping[str, str] = field(default_factory=dict)
    transformations: str = ""  # how the output is read as a table
    only: Sequence[str] = ()  # patterns of the files to keep; empty for all

    @property
    def parameter(self) -> PathParameter | None:
        """The parameter that `path_on_datastore` is made of; the SDK writes it into the path as
        text."""
        found = PATH_PARAMETER.search(self.path_on_datastore or "")
        if found is None:
            return None
        is_datapath = DATAPATH_DEFAULT.match(found[2]) is not None
        return PathParameter(found[1], None if is_datapath else found[2], is_datapath)

    def place(self, value: str, *, default: str) -> str:
        """`path_on_datastore` with the parameter replaced by `value`. Text that follows the
        parameter begins where its default ends, if the interface declares one."""

        def filled(found: re.Match[str]) -> str:
            rest = DATAPATH_DEFAULT.sub("", found[2])
            return value + (rest.removeprefix(default) if rest.startswith(default) else "")

        return PATH_PARAMETER.sub(filled, self.path_on_datastore or "")


@dataclass(frozen=True)
class Node:
    """One step."""

    id: str
    module_id: str
    name: str
    comment: str = ""
    assignments: Mapping[str, Assignment] = field(default_factory=dict)
    outputs: Mapping[str, OutputSetting] = field(default_factory=dict)
    readings: Mapping[str, str] = field(default_factory=dict)  # how inputs are read as tables
    runconfig: Mapping[str, Any] = field(default_factory=dict)
    regenerate: bool = False
    module: ModuleInfo = field(default_factory=ModuleInfo)

    def value(self, name: str, values: Mapping[str, str] | None = None) -> str | None:
        """The text of the module parameter `name`; `values` are the run's graph parameters."""
        assignment = self.assignments.get(name)
        if assignment is None or (not assignment.from_graph and assignment.value is None):
            declared = self.module.parameters.get(name)
            return declared.default if declared else None
        if assignment.from_graph:
            return (values or {}).get(assignment.value or "")
        return assignment.value

    @property
    def script(self) -> str | None:
        return self.value(SCRIPT)

    @property
    def command(self) -> str | None:
        return self.value(COMMAND)

    @property
    def target(self) -> str | None:
        """The compute target, which is the name of a queue. `target` in the Runconfig always says
        `local`."""
        return self.value(TARGET)

    def arguments(self, values: Mapping[str, str] | None = None) -> tuple[Argument, ...]:
        """The parts of argv: the module's own, or those of a ModuleStep, which sends them as one
        comma-separated text."""
        plain = self.value(ARGUMENTS, values)
        if not plain or plain == STRUCTURED_ARGUMENTS:
            return self.module.arguments
        return tuple(self._argument(word) for word in plain.split(","))

    def _argument(self, word: str) -> Argument:
        if word.startswith(PORT_WORD):
            name = word.removeprefix(
                PORT_WORD
            )  # the name of a port, or of an input's DataReference
            return Argument("Output" if name in self.module.outputs else "Input", name)
        if word.startswith(PARAMETER_WORD):
            for name, declared in self.module.parameters.items():
                if f"${declared.environment_variable}" == word:
                    return Argument("Parameter", name)
        return Argument("Literal", word)

    def environment_variables(self, values: Mapping[str, str]) -> dict[str, str]:
        """AML_PARAMETER_* and the other variables that the module asks for."""
        exported = {}
        for name, declared in self.module.parameters.items():
            value = self.value(name, values)
            if declared.environment_variable and value is not None:
                exported[declared.environment_variable] = value
        return exported

    @property
    def _extensions(self) -> Mapping[str, Any]:
        """Our own settings (retries), which the YAML format puts into the Runconfig."""
        found = self.runconfig.get("studio")
        return found if isinstance(found, Mapping) else {}

    @property
    def retries(self) -> int:
        return count(self._extensions.get("retries"))

    @property
    def retry_delay_seconds(self) -> int:
        return count(self._extensions.get("retryDelaySeconds"))

    @property
    def timeout_seconds(self) -> int | None:
        """The time limit; None for no limit. The SDK's default of 30 days is a limit like any
        other."""
        own = self.value("MaxRunDurationSeconds") or self.runconfig.get("maxRunDurationSeconds")
        return count(own) or None


@dataclass(frozen=True)
class DatasetNode:
    """A source of data. Besides `id`, exactly one of these is set: `datapath_parameter` or
    `dataset_parameter` (names of graph parameters), `source_id` (a DataSource), `value` (a
    DataSetDefinitionValue, which references a dataset). `port` is the input of the first step that
    reads it, which is the name its author knows."""

    id: str
    datapath_parameter: str | None = None
    dataset_parameter: str | None = None
    source_id: str | None = None
    value: Mapping[str, Any] | None = None
    port: str = ""

    @property
    def name(self) -> str:
        reference = next(iter((self.value or {}).values()), None)
        registered = reference.get("Name") if isinstance(reference, Mapping) else ""
        return (
            self.datapath_parameter or self.dataset_parameter or registered or self.port or self.id
        )


@dataclass(frozen=True)
class Edge:
    source: str
    source_port: str
    target: str
    target_port: str
    is_run_after: bool = False

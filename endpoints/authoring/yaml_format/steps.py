"""Reads the `steps` of a pipeline file and checks their references."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from endpoints.authoring.yaml_format import nodes
from endpoints.authoring.yaml_format.environments import inside, read_runconfig
from endpoints.authoring.yaml_format.model import Reference, Step
from endpoints.authoring.yaml_format.nodes import Bound, bound_to
from endpoints.authoring.yaml_format.source import Value
from endpoints.graph import (
    ANY_DIRECTORY,
    ANY_FILE,
    COMMAND,
    COMMAND_STEP,
    DATASET,
    PYTHON_STEP,
    SCRIPT,
    TARGET,
    Argument,
    OutputSetting,
    Port,
)
from endpoints.parameters import Kind, Parameter, nearest

STEP_KEYS = frozenset({
    "type", "name", "version", "compute", "runconfig", "runconfig_parameters", "parameters", "inputs",
    "outputs", "arguments", "script_name", "source_directory", "hash_paths", "allow_reuse",
    "python_script_step",
}) | {
    "command", "environment", "run_after", "regenerate_outputs",  # ours, from here on
    "retries", "retry_delay_seconds", "timeout_seconds",
}  # fmt: skip
INPUT_KEYS = frozenset({"source", "bind_mode", "type", "path_on_compute", "overwrite"})
OUTPUT_KEYS = frozenset({
    "destination", "datastore", "bind_mode", "type", "path_on_compute", "overwrite", "as_dataset",
}) | {"path_on_datastore", "register_as", "pipeline_output"}  # fmt: skip
SETTING_TEXTS = ("path_on_compute", "path_on_datastore", "register_as", "datastore")
INPUT_MODES = ("mount", "download", "direct")  # `direct` hands over the dataset's id; ours in YAML
OUTPUT_MODES = ("mount", "upload")


class StepReader:
    def __init__(
        self,
        *,
        root: Path,
        parameters: Mapping[str, Parameter],
        references: Mapping[str, Reference],
        default_compute: str | None,
    ):
        self.root = root
        self.parameters = parameters
        self.references = references
        self.default_compute = default_compute

    def read(self, section: Value) -> dict[str, Step]:
        values = section.mapping()
        self.step_keys = list(values)
        self.destinations = self._destinations(values)
        steps = {key: self._step(key, value) for key, value in values.items()}
        for key in {other for step in steps.values() for other in step.run_after}:
            steps[key] = replace(steps[key], node=nodes.followed(steps[key].node))
        return steps

    def _destinations(self, steps: dict[str, Value]) -> set[str]:
        """The names of outputs that other steps can use as inputs. Two steps may not have the same
        one."""
        found: set[str] = set()
        for step in steps.values():
            outputs = step.mapping(STEP_KEYS).get("outputs")
            for output in outputs.mapping().values() if outputs else ():
                name = output.mapping(OUTPUT_KEYS).get("destination")
                if name is None:
                    raise output.fail("An output needs a destination.")
                if name.text() in found | set(self.references) | set(self.parameters):
                    raise name.fail(f"The name {name.text()} is taken already.")
                found.add(name.text())
        return found

    def _step(self, key: str, value: Value) -> Step:
        keys = value.mapping(STEP_KEYS)
        if "python_script_step" in keys:  # the older, nested spelling of v1
            keys = {**keys, **keys["python_script_step"].mapping(STEP_KEYS)}
            step_type = PYTHON_STEP
        elif "type" not in keys:
            raise value.fail(f"Expected `type:`, {PYTHON_STEP} or {COMMAND_STEP}.")
        else:
            step_type = keys["type"].choice(PYTHON_STEP, COMMAND_STEP)
        folder = self.root
        if "source_directory" in keys:
            folder = inside(keys["source_directory"], root=self.root, here=self.root)
            if not folder.is_dir():
                raise keys["source_directory"].fail("There is no such folder.")
        sources, inputs = self._inputs(keys)
        outputs = self._section(keys, "outputs", OUTPUT_KEYS)
        settings = {port: self._output(port, row) for port, row in outputs.items()}
        parameters = self._parameters(keys)
        read = self._script if step_type == PYTHON_STEP else self._command
        code, words = read(value, keys, folder)
        arguments = tuple(self._argument(word, sources, settings, parameters) for word in words)
        runconfig = read_runconfig(keys, root=self.root, here=self.root)
        run_after = tuple(self._run_after(key, item) for item in self._list(keys, "run_after"))
        node = nodes.step_node(
            key,
            name=keys["name"].name() if "name" in keys else key,
            step_type=step_type,
            values={TARGET: self._compute(value, keys, runconfig), **code},
            parameters=parameters,
            arguments=arguments,
            inputs=inputs | nodes.fake_inputs(len(run_after)),
            outputs=settings,
            runconfig=runconfig,
            allow_reuse=keys["allow_reuse"].boolean() if "allow_reuse" in keys else True,
            regenerate="regenerate_outputs" in keys and keys["regenerate_outputs"].boolean(),
        )
        return Step(
            key=key,
            node=node,
            source_directory=folder,
            sources=sources,
            destinations={port: row["destination"].name() for port, row in outputs.items()},
            pipeline_outputs={
                port: row["pipeline_output"].name()
                for port, row in outputs.items()
                if "pipeline_output" in row
            },
            run_after=run_after,
        )

    def _list(self, keys: dict[str, Value], name: str) -> list[Value]:
        return keys[name].items() if name in keys else []

    def _script(
        self, value: Value, keys: dict[str, Value], folder: Path
    ) -> tuple[dict[str, str], list[Value]]:
        if "command" in keys:
            raise keys["command"].fail(
                f"A {PYTHON_STEP} has script_name; command belongs to {COMMAND_STEP}."
            )
        if "script_name" not in keys:
            raise value.fail(f"A {PYTHON_STEP} needs script_name.")
        name = keys["script_name"].name()
        script = inside(keys["script_name"], root=folder, here=folder)
        if not script.is_file():
            shown = folder.relative_to(self.root.resolve()) if folder != self.root else Path()
            raise keys["script_name"].fail(f"There is no file {(shown / name).as_posix()}.")
        return {SCRIPT: name}, self._list(keys, "arguments")

    def _command(
        self, value: Value, keys: dict[str, Value], folder: Path
    ) -> tuple[dict[str, str], list[Value]]:
        """A text is a shell line. Of a list, the first item is the shell line and the others are
        its arguments."""
        if "script_name" in keys:
            raise keys["script_name"].fail(
                f"A {COMMAND_STEP} has command; script_name belongs to {PYTHON_STEP}."
            )
        if "command" not in keys:
            raise value.fail(f"A {COMMAND_STEP} needs command.")
        command = keys["command"]
        first, *rest = command.items() if command.is_list else [command]
        return {COMMAND: first.name()}, [*rest, *self._list(keys, "arguments")]

    def _argument(
        self,
        word: Value | str,
        sources: Mapping[str, str],
        outputs: Mapping[str, OutputSetting],
        parameters: dict[str, Bound],
    ) -> Argument:
        text = word if isinstance(word, str) else word.text()
        prefix, _, name = text.partition(":")
        known: Collection[str] | None = {
            "input": sources,
            "output": outputs,
            "parameter": parameters,
        }.get(prefix)
        if known is None or isinstance(word, str):
            return Argument("Literal", text)
        if prefix == "parameter" and name not in parameters and self._is_scalar(name):
            parameters[name] = bound_to(name, name, from_graph=True)
        if name not in known:
            raise word.fail(f"The step has no {prefix} {name}.")
        if prefix == "input" and self._is_dataset(sources[name]):
            return Argument("Literal", f"DatasetConsumptionConfig:{name}")  # wire.md 8.5
        return Argument(prefix.capitalize(), name)

    def _is_scalar(self, name: str) -> bool:
        return name in self.parameters and self.parameters[name].is_scalar

    def _is_dataset(self, source: str) -> bool:
        if source in self.parameters:
            return self.parameters[source].kind is Kind.DATASET
        return source in self.references and self.references[source].dataset is not None

    def _compute(self, value: Value, keys: dict[str, Value], runconfig: dict[str, Any]) -> str:
        if "compute" in keys:
            return keys["compute"].name()
        named = runconfig.get("target")
        compute = self.default_compute or (
            named if isinstance(named, str) and named != "local" else None
        )
        if not compute:
            raise value.fail("The step has no compute, and the pipeline no default_compute.")
        return compute

    def _run_after(self, key: str, item: Value) -> str:
        other = item.name()
        if other == key or other not in self.step_keys:
            raise item.fail(f"There is no other step {other}.")
        return other

    def _section(
        self, keys: dict[str, Value], name: str, known: frozenset[str]
    ) -> dict[str, dict[str, Value]]:
        section = keys[name].mapping() if name in keys else {}
        return {key: value.mapping(known) for key, value in section.items()}

    def _inputs(self, keys: dict[str, Value]) -> tuple[dict[str, str], dict[str, Port]]:
        """The source of each input, and its port."""
        section = keys["inputs"].mapping() if "inputs" in keys else {}
        read = {name: self._input(name, value) for name, value in section.items()}
        return {name: one[0] for name, one in read.items()}, {
            name: one[1] for name, one in read.items()
        }

    def _input(self, name: str, value: Value) -> tuple[str, Port]:
        keys = value.mapping(INPUT_KEYS)
        if "source" not in keys:
            raise value.fail("An input needs a source.")
        source = keys["source"].name()
        parameters = {name for name, found in self.parameters.items() if not found.is_scalar}
        known = [*parameters, *self.references, *self.destinations]
        if source not in known:
            hint = nearest(source, known)
            hint = f" {hint}" if hint.startswith("Did") else ""
            raise keys["source"].fail(
                f"{source} is no dataset or data path parameter, data reference or output of a step.{hint}"
            )
        mode = keys.get("bind_mode") or keys.get("type")
        chosen = mode.choice(*INPUT_MODES) if mode else "mount"
        if mode and chosen == "direct" and not self._is_dataset(source):
            raise mode.fail("Only a dataset can be handed over directly: use mount or download.")
        is_dataset = self._is_dataset(source)
        return source, Port(
            name=name,
            mode=chosen,
            path_on_compute=keys["path_on_compute"].name() if "path_on_compute" in keys else None,
            overwrite="overwrite" in keys and keys["overwrite"].boolean(),
            data_types=(DATASET,) if is_dataset else (ANY_FILE, ANY_DIRECTORY),
        )

    def _output(self, name: str, keys: dict[str, Value]) -> OutputSetting:
        mode = keys.get("bind_mode") or keys.get("type")
        if "as_dataset" in keys:
            keys["as_dataset"].boolean()  # without effect: every output can be read as a dataset
        texts: dict[str, Any] = {key: keys[key].name() for key in SETTING_TEXTS if key in keys}
        return OutputSetting(
            name=name,
            datastore=texts.pop("datastore", "workspaceblobstore"),
            mode=mode.choice(*OUTPUT_MODES) if mode else "mount",
            overwrite="overwrite" in keys and keys["overwrite"].boolean(),
            **texts,
        )

    def _parameters(self, keys: dict[str, Value]) -> dict[str, Bound]:
        found = {}
        for section, exported in (("parameters", True), ("runconfig_parameters", False)):
            values = keys[section].mapping() if section in keys else {}
            for name, value in values.items():
                found[name] = self._parameter(name, value, exported=exported)
        return found

    def _parameter(self, name: str, value: Value, *, exported: bool) -> Bound:
        if not value.is_mapping:
            return bound_to(name, value.text(), exported=exported)
        keys = value.mapping(frozenset({"source"}))
        if "source" not in keys:
            raise value.fail("Expected a value, or `source:` and the name of a pipeline parameter.")
        source = keys["source"].name()
        if not self._is_scalar(source):
            known = [name for name in self.parameters if self._is_scalar(name)]
            raise keys["source"].fail(f"There is no such parameter. {nearest(source, known)}")
        return bound_to(name, source, from_graph=True, exported=exported)

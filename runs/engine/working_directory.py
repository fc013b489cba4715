"""The working folder of one attempt: lays out code and inputs, and stores outputs.

`<work>/<step uuid>.<attempt>/` is the step's home directory. It holds `code/` (where the step runs),
`inputs/`, `outputs/`, `facts/`, `packages/` (which the step installs itself) and `log`. It is removed
when the attempt is over.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from endpoints import data, snapshots
from endpoints.graph import PORT_WORD, STRUCTURED_ARGUMENTS, Argument, OutputSetting, Port
from endpoints.models import SavedDataset
from runs.engine import cleanup, output_datasets, stored_outputs
from runs.engine.job import Job
from runs.engine.outages import OutageRetry
from runs.models import PipelineRun
from runs.steps import StepRefused
from runs.steps.environments import PACKAGES
from studio.core import file_names
from studio.core.db.transactions import write_transaction
from studio.storage.paths import PathError, relative_path

OPERATOR = re.compile(r"\|\|?|&&?|;|\d?(>>?|<)(&\d)?")
PLACEHOLDER = re.compile(r"\b(DatasetConsumptionConfig|DatasetOutputConfig):([\w.\-]+)")
VARIABLE = re.compile(rf"{re.escape(PORT_WORD)}([\w.\-]+)")

# Transformations that our `azureml` package handles itself. Column types are among them, because the SDK
# writes the types it inferred from a file into every dataset, and our reader infers the same ones.
READ_HERE = {
    *("read_delimited", "read_json_lines", "read_parquet", "read_files"),
    *("convert_column_types", "keep_columns", "drop_columns"),
}


@dataclass
class Folder:
    """A working folder. `inputs` and `outputs` hold what the command line gets for each port: a path, or
    the id of a dataset that the script reads itself (mode `direct`)."""

    path: Path
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Path] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    # Inputs, by the name of their DataReference.
    references: dict[str, str] = field(default_factory=dict)
    linked: dict[Path, dict[str, Any]] = field(default_factory=dict)
    # What was at the places of outputs before the step ran. A folder of the code that the step did not
    # change is no output.
    taken: dict[Path, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def ports(self) -> dict[str, str]:
        """The places that AZUREML_DATAREFERENCE_* variables point to, by name."""
        outputs = {name: str(path) for name, path in self.outputs.items()}
        return {**self.references, **self.inputs, **outputs}

    @property
    def code(self) -> Path:
        return self.path / "code"

    @property
    def packages(self) -> Path:
        return self.path / PACKAGES

    @property
    def facts(self) -> Path:
        return self.path / "facts"

    @property
    def log(self) -> Path:
        return self.path / "log"


def make(job: Job) -> Folder:
    """Lay out code and inputs; StepRefused names what is missing."""
    name = cleanup.name_of(job.run.uuid, job.claim.attempt)
    folder = Folder(settings.STUDIO_WORK_DIR / name)
    if folder.path.exists():
        cleanup.remove(folder.path)
    folder.facts.mkdir(parents=True)
    folder.code.mkdir()
    if job.step.inputs or job.step.outputs:
        (folder.path / "inputs").mkdir()
        (folder.path / "outputs").mkdir()
    if job.module.snapshot is not None:
        snapshots.working_copy(job.module.snapshot, folder.code)
    # Scripts written for v1 expect these folders.
    for name in ("outputs", "logs"):
        (folder.code / name).mkdir(exist_ok=True)
    _lay_out(job, folder)
    for name in job.step.outputs:
        folder.outputs[name] = folder.path / "outputs" / _plain(name)
        if _is_dataset_output(job, name):
            folder.outputs[name].mkdir()
        wanted = _place_of_its_own(job, job.node.outputs.get(name) or OutputSetting(name))
        own = _inside(folder, wanted) if wanted else None
        if own is not None and own.exists() and not own.is_symlink():
            folder.taken[own] = data.inventory(own)
    return folder


def _lay_out(job: Job, folder: Folder) -> None:
    """Put the inputs in their places."""
    laid_out = {}
    for name, place in job.inputs.items():
        port = job.node.module.inputs.get(name) or Port(name)
        folder.modes[name] = port.mode
        if port.mode == "direct" and ("saved" in place or "node" in place):
            saved = place.get("saved") or output_datasets.save_input(job, name, place)
            folder.inputs[name] = saved
            is_empty = "saved" not in place and not _left_by_step(job, place)
            known = _direct(job, saved, folder.path / "inputs" / _plain(name), is_empty=is_empty)
            if known is not None:
                laid_out[name] = known
        else:
            path = _input(job, folder, port, place)
            folder.inputs[name] = str(path)
            if port.path_on_compute:
                _lead(folder, name, port.path_on_compute, to=path)
        if place.get("name"):
            folder.references[place["name"]] = folder.inputs[name]
    if laid_out:
        (folder.facts / "inputs.json").write_text(json.dumps(laid_out))


def _plain(name: str) -> str:
    """A port's name as one part of a path."""
    return re.sub(r"[^\w.\-]", "_", name).strip(".") or "_"


def _places(job: Job, place: dict[str, Any]) -> list[Any]:
    if "saved" in place:
        saved = SavedDataset.objects.select_related("workspace").get(
            workspace=job.run.workspace, uuid=place["saved"]
        )
        return data.places_of(saved)
    return [data.locate(job.run.workspace, place["datastore"], place["path"])]


def _input(job: Job, folder: Folder, port: Port, place: dict[str, Any]) -> Path:
    target = folder.path / "inputs" / _plain(port.name)
    places = _places(job, place)
    if "saved" not in place and not places[0].is_there():
        if "node" in place:
            stored_outputs.require(place, {}, named=_made_by(job, place))
        else:
            _warn(job, folder, f"There is nothing at {places[0]}: the input {port.name} is empty.")
        target.mkdir()
        return target
    mode = "mount" if port.mode == "mount" else "download"
    path = data.materialise(places, target, mode=mode)
    found = data.inventory(path)
    stored_outputs.require(place, found, named=_made_by(job, place))
    if mode == "mount":
        folder.linked[path] = found
    return path


def _left_by_step(job: Job, place: dict[str, Any]) -> dict[str, int]:
    """The files that an earlier step stored in an output; StepRefused if one is missing."""
    found = stored_outputs.found_at(_places(job, place)[0], place)
    stored_outputs.require(place, found, named=_made_by(job, place))
    return found


def _made_by(job: Job, place: dict[str, Any]) -> str:
    maker = job.graph.nodes.get(place.get("node", ""))
    return f"The output {place.get('port')} of step {maker.name if maker else ''}"


def _warn(job: Job, folder: Folder, text: str) -> None:
    """Add a warning to the step, and to the run, where the caller looks."""
    folder.warnings.append(text)
    with write_transaction():
        run = PipelineRun.objects.select_for_update().only("warnings").get(pk=job.run.parent_id)
        if text not in run.warnings:
            PipelineRun.objects.filter(pk=run.pk).update(warnings=[*run.warnings, text])


def _lead(folder: Folder, name: str, wanted: str, *, to: Path) -> None:
    """Link the path where the script expects an input (`path_on_compute`) to the input."""
    link = _inside(folder, wanted)
    try:
        if link is None:
            raise OSError("a step can only use its own folder")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(to)
    except OSError as error:
        reason = error.strerror or str(error)
        folder.warnings.append(
            f"The input {name} is not at {wanted} ({reason}). Its path is in the step's arguments."
        )


def _inside(folder: Folder, wanted: str) -> Path | None:
    """`wanted` as a path below the code folder, where the step runs; None if it is invalid or leads out
    of that folder."""
    try:
        path = folder.code / relative_path(wanted, backslash=True)
        path.exists()  # raises if a name is too long
        # A parent folder may be a link to a mounted input.
        return path if path.parent.resolve().is_relative_to(folder.code.resolve()) else None
    except (PathError, OSError, RuntimeError):  # RuntimeError: a loop of links
        return None


def _name_of(transformation: Any) -> str:
    is_plain = not isinstance(transformation, dict)
    return str(transformation) if is_plain else next(iter(transformation), "")


def _direct(job: Job, saved_id: str, target: Path, *, is_empty: bool) -> dict[str, Any] | None:
    """What the step's `Run.input_datasets` needs to read a dataset without a request to the studio. None if
    the dataset transforms its files in other ways; the step then requests it and gets an explanation."""
    saved = SavedDataset.objects.select_related("workspace").get(
        workspace=job.run.workspace, uuid=saved_id
    )
    flow = data.read_dataflow(saved.dataflow)
    extra = [step for step in flow.transformations if _name_of(step) not in READ_HERE]
    if extra:
        return None
    path = target if is_empty else data.materialise(data.places_of(saved), target)
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return {
        "id": saved_id,
        "type": saved.dataset_type,
        "files": [str(file) for file in files],
        "format": flow.format,
        "options": flow.options,
        "columns": flow.columns,
    }


def _is_dataset_output(job: Job, name: str) -> bool:
    """Whether the output is an OutputFileDatasetConfig. Its folder must exist before the step runs, whereas
    the script itself makes the folder of a PipelineData."""
    setting = job.node.outputs.get(name)
    if setting and (setting.path_on_datastore or setting.register_as):
        return True
    marker = f"DatasetOutputConfig:{name}"
    return any(marker in argument.value for argument in job.node.module.arguments)


def arguments(job: Job, folder: Folder) -> tuple[str, ...]:
    """The step's argv after the script (wire.md 8.5)."""
    return tuple(_values(job.node.arguments(job.values), job, folder))


def _values(arguments: Iterable[Argument], job: Job, folder: Folder) -> Iterator[str]:
    for argument in arguments:
        if argument.kind == "Parameter":
            value = job.node.value(argument.value, job.values)
            if value is not None:
                yield value
        elif argument.kind == "Input":
            yield {**folder.references, **folder.inputs}.get(argument.value, "")
        elif argument.kind == "Output":
            yield str(folder.outputs.get(argument.value, ""))
        else:
            # The SDK writes a reference within a text as a variable, and no shell expands it here.
            yield VARIABLE.sub(partial(_expanded, folder.ports), fill(argument.value, folder))


def _expanded(ports: Mapping[str, str], found: re.Match[str]) -> str:
    """The place of the port that a variable names. If `x.csv` is no port, the place of `x`, then `.csv`."""
    name = found[1]
    while name not in ports:
        name = re.sub(r"(^|[.\-])[^.\-]*$", "", name)
        if not name:
            return found[0]
    return ports[name] + found[1][len(name) :]


def fill(text: str, folder: Folder, *, written_as: Callable[[str], str] = str) -> str:
    """Replace the placeholders of inputs and outputs by their places."""

    def place(found: re.Match[str]) -> str:
        places = folder.inputs if found[1] == "DatasetConsumptionConfig" else folder.outputs
        known = places.get(found[2])
        return found[0] if known is None else written_as(str(known))

    return PLACEHOLDER.sub(place, text)


def command(job: Job, folder: Folder) -> str | None:
    """The shell text of a CommandStep: its command, then its arguments as words.

    Only text written by the pipeline's author has a meaning for the shell. Values from callers and
    places are quoted.
    """
    if job.node.command is None:
        return None
    text = job.node.command
    words = [] if text == STRUCTURED_ARGUMENTS else [fill(text, folder, written_as=shlex.quote)]
    for argument in job.node.module.arguments:
        value = next(_values([argument], job, folder), None)
        if value is not None:
            is_written = argument.kind == "Literal" and not PLACEHOLDER.search(argument.value)
            words.append(_written(value) if is_written else shlex.quote(value))
    return " ".join(words)


def _written(word: str) -> str:
    """Quote a word that the author wrote, so that operators and variables keep their meaning."""
    if OPERATOR.fullmatch(word):
        return word
    if "$" in word:
        escaped = re.sub(r'(["\\`])', r"\\\1", word)
        return f'"{escaped}"'
    return shlex.quote(word)


def check_inputs(folder: Folder) -> None:
    """Fail a step that changed a mounted input, because that is the stored original."""
    for path, before in folder.linked.items():
        name = data.changed(before, path)
        if name is not None:
            raise StepRefused(
                f"The step changed its input {path.name}: {file_names.shown(name)}. Mounted inputs are the stored"
                " originals; write to ./outputs or an output instead."
            )


class Recorded:
    """Writes the record of an output. This happens before its files are stored, because `storage_cleanup`
    uses the record to remove the files of a lost attempt, and again if a file changed meanwhile."""

    def __init__(self, job: Job, port: str, place: Mapping[str, Any], retry: OutageRetry):
        self.record = partial(
            stored_outputs.record, place, run=job.run.uuid, attempt=job.claim.attempt, port=port
        )
        self.retry = retry
        self.files: list[data.Entry] | None = None
        self.place: dict[str, Any] = {}

    def of(self, files: list[data.Entry]) -> dict[str, Any]:
        if files != self.files:
            self.files, self.place = files, self.retry(partial(self.record, files))
        return self.place


def store_outputs(
    job: Job, folder: Folder, *, retry: OutageRetry
) -> tuple[dict[str, str], list[str]]:
    """Store the outputs in their datastores.

    Returns the outputs of which nothing was stored, each with the reason, and the files whose names the
    datastore cannot store."""
    missing, outputs, left_out = {}, {}, []
    for name, place in job.step.outputs.items():
        setting = job.node.outputs.get(name) or OutputSetting(name)
        path, wanted = _written_at(job, folder, setting), _place_of_its_own(job, setting)
        recorded = Recorded(job, name, place, retry)
        taken = data.Taken()
        if path.exists():
            target = data.locate(job.run.workspace, place["datastore"], place["path"])
            destination = place.get("destination")
            taken = data.upload_tree(
                path,
                target,
                only=setting.only,
                mounted=folder.linked,
                retry=retry,
                destination=None if destination is None else target.child(destination),
                on_found=recorded.of,
            )
            left_out += taken.left_out
        outputs[name] = recorded.of(taken.files)
        if taken.files or taken.left_out:
            continue
        is_empty = path.is_dir() and not any(path.iterdir())
        if not path.exists() or (wanted and is_empty):
            missing[name] = f"The output {name} was not written."
            if wanted and _inside(folder, wanted) is None:
                missing[name] += (
                    f" {wanted} is no usable path in the step's own folder: use the output's path"
                    " from the step's arguments."
                )
        elif setting.only:
            patterns = ", ".join(setting.only)
            missing[name] = f"Nothing of the output {name} was kept: no file matches {patterns}."
    if outputs:
        job.changes["outputs"] = outputs
    return missing, left_out


def _place_of_its_own(job: Job, setting: OutputSetting) -> str | None:
    """The fixed path to which the script writes an output (`path_on_compute`), if any."""
    port = job.node.module.outputs.get(setting.name)
    return setting.path_on_compute or (port.path_on_compute if port else None)


def _written_at(job: Job, folder: Folder, setting: OutputSetting) -> Path:
    """Where the step wrote an output: at the path from its arguments, or else at `path_on_compute`."""
    path, wanted = folder.outputs[setting.name], _place_of_its_own(job, setting)
    if not wanted or path.is_file() or (path.is_dir() and any(path.iterdir())):
        return path
    own = _inside(folder, wanted)
    if own is None or own.is_symlink() or not own.exists():
        return path
    before = folder.taken.get(own)
    return path if before is not None and data.changed(before, own) is None else own

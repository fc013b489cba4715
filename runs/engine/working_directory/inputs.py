"""Puts a step's inputs in their places."""

import json
from pathlib import Path
from typing import Any

from endpoints import data
from endpoints.graph import Port
from endpoints.models import SavedDataset
from runs.engine import output_datasets, stored_outputs
from runs.engine.claimed_step import Job
from runs.engine.working_directory.folder import WorkingDirectory, inside, port_folder
from runs.models import PipelineRun
from runs.steps import StepRefused
from studio.core import file_names
from studio.core.db.transactions import write_transaction

# Transformations that our `azureml` package handles itself. Column types are among them, because the SDK
# writes the types it inferred from a file into every dataset, and our reader infers the same ones.
READ_HERE = {
    *("read_delimited", "read_json_lines", "read_parquet", "read_files"),
    *("convert_column_types", "keep_columns", "drop_columns"),
}


def lay_out(job: Job, folder: WorkingDirectory) -> None:
    """Put the inputs in their places."""
    laid_out = {}
    for name, place in job.inputs.items():
        port = job.node.module.inputs.get(name) or Port(name)
        folder.modes[name] = port.mode
        if port.mode == "direct" and ("saved" in place or "node" in place):
            saved = place.get("saved") or output_datasets.save_input(job, name, place)
            folder.inputs[name] = saved
            is_empty = "saved" not in place and not _left_by_step(job, place)
            known = _direct(
                job, saved, folder.path / "inputs" / port_folder(name), is_empty=is_empty
            )
            if known is not None:
                laid_out[name] = known
        else:
            path = _input(job, folder, port, place)
            folder.inputs[name] = str(path)
            if port.path_on_compute:
                _link(folder, name, port.path_on_compute, to=path)
        if place.get("name"):
            folder.references[place["name"]] = folder.inputs[name]
    if laid_out:
        (folder.facts / "inputs.json").write_text(json.dumps(laid_out))


def _places(job: Job, place: dict[str, Any]) -> list[Any]:
    if "saved" in place:
        saved = SavedDataset.objects.select_related("workspace").get(
            workspace=job.run.workspace, uuid=place["saved"]
        )
        return data.places_of(saved)
    return [data.locate(job.run.workspace, place["datastore"], place["path"])]


def _input(job: Job, folder: WorkingDirectory, port: Port, place: dict[str, Any]) -> Path:
    target = folder.path / "inputs" / port_folder(port.name)
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


def _warn(job: Job, folder: WorkingDirectory, text: str) -> None:
    """Add a warning to the step, and to the run, where the caller looks."""
    folder.warnings.append(text)
    with write_transaction():
        run = PipelineRun.objects.select_for_update().only("warnings").get(pk=job.run.parent_id)
        if text not in run.warnings:
            PipelineRun.objects.filter(pk=run.pk).update(warnings=[*run.warnings, text])


def _link(folder: WorkingDirectory, name: str, wanted: str, *, to: Path) -> None:
    """Link the path where the script expects an input (`path_on_compute`) to the input."""
    link = inside(folder, wanted)
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


def check_inputs(folder: WorkingDirectory) -> None:
    """Fail a step that changed a mounted input, because that is the stored original."""
    for path, before in folder.linked.items():
        name = data.changed(before, path)
        if name is not None:
            raise StepRefused(
                f"The step changed its input {path.name}: {file_names.shown(name)}. Mounted inputs are the stored"
                " originals; write to ./outputs or an output instead."
            )

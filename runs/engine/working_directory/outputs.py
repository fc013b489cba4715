"""Stores what a step wrote to its outputs."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from endpoints import data
from endpoints.graph import OutputSetting
from runs.engine import stored_outputs
from runs.engine.claimed_step import Job
from runs.engine.outages import OutageRetry
from runs.engine.working_directory.folder import WorkingDirectory, inside


class OutputRecord:
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
    job: Job, folder: WorkingDirectory, *, retry: OutageRetry
) -> tuple[dict[str, str], list[str]]:
    """Store the outputs in their datastores.

    Returns the outputs of which nothing was stored, each with the reason, and the files whose names the
    datastore cannot store."""
    missing, outputs, left_out = {}, {}, []
    for name, place in job.step.outputs.items():
        setting = job.node.outputs.get(name) or OutputSetting(name)
        path, wanted = _written_at(job, folder, setting), fixed_path(job, setting)
        record = OutputRecord(job, name, place, retry)
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
                on_found=record.of,
            )
            left_out += taken.left_out
        outputs[name] = record.of(taken.files)
        if taken.files or taken.left_out:
            continue
        is_empty = path.is_dir() and not any(path.iterdir())
        if not path.exists() or (wanted and is_empty):
            missing[name] = f"The output {name} was not written."
            if wanted and inside(folder, wanted) is None:
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


def fixed_path(job: Job, setting: OutputSetting) -> str | None:
    """The fixed path to which the script writes an output (`path_on_compute`), if any."""
    port = job.node.module.outputs.get(setting.name)
    return setting.path_on_compute or (port.path_on_compute if port else None)


def _written_at(job: Job, folder: WorkingDirectory, setting: OutputSetting) -> Path:
    """Where the step wrote an output: at the path from its arguments, or else at `path_on_compute`."""
    path, wanted = folder.outputs[setting.name], fixed_path(job, setting)
    if not wanted or path.is_file() or (path.is_dir() and any(path.iterdir())):
        return path
    own = inside(folder, wanted)
    if own is None or own.is_symlink() or not own.exists():
        return path
    before = folder.taken.get(own)
    return path if before is not None and data.changed(before, own) is None else own

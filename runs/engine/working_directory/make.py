"""Makes the working directory of an attempt: its code, inputs and places for outputs."""

from django.conf import settings

from endpoints import data, snapshots
from endpoints.graph import OutputSetting
from runs.engine import cleanup
from runs.engine.claimed_step import Job
from runs.engine.working_directory.folder import WorkingDirectory, inside, port_folder
from runs.engine.working_directory.inputs import lay_out
from runs.engine.working_directory.outputs import fixed_path


def make(job: Job) -> WorkingDirectory:
    """Lay out code and inputs; StepRefused names what is missing."""
    name = cleanup.name_of(job.run.uuid, job.claim.attempt)
    folder = WorkingDirectory(settings.STUDIO_WORK_DIR / name)
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
    lay_out(job, folder)
    for name in job.step.outputs:
        folder.outputs[name] = folder.path / "outputs" / port_folder(name)
        if _is_dataset_output(job, name):
            folder.outputs[name].mkdir()
        wanted = fixed_path(job, job.node.outputs.get(name) or OutputSetting(name))
        own = inside(folder, wanted) if wanted else None
        if own is not None and own.exists() and not own.is_symlink():
            folder.taken[own] = data.inventory(own)
    return folder


def _is_dataset_output(job: Job, name: str) -> bool:
    """Whether the output is an OutputFileDatasetConfig. Its folder must exist before the step runs, whereas
    the script itself makes the folder of a PipelineData."""
    setting = job.node.outputs.get(name)
    if setting and (setting.path_on_datastore or setting.register_as):
        return True
    marker = f"DatasetOutputConfig:{name}"
    return any(marker in argument.value for argument in job.node.module.arguments)

"""Runs brought into the states that pages show, and the names of a run's pages."""

from runs import logs
from runs.models import Artifact, Run
from runs.states import Status
from runs.tracking import artifacts
from studio.storage.store import studio_store
from tests import factories

TABS = [
    *("detail", "steps", "outputs", "metrics", "images"),
    *("parameters", "snapshot", "details"),
]


def submit(actor, endpoint, **more) -> Run:
    return factories.run(actor, endpoint=endpoint, experiment="growth", **more)


def step_of(run: Run, name: str) -> Run:
    return Run.objects.select_related("step").get(parent=run, name=name)


def move(run: Run, *states: Status, **stamps) -> None:
    for state in states:
        assert Run.objects.transition(run.pk, to=state, **stamps)
    run.refresh_from_db()


def complete(run: Run) -> Run:
    for step in Run.objects.filter(parent=run):
        move(step, Status.RUNNING, Status.COMPLETED)
    move(run, Status.RUNNING, Status.COMPLETED)
    return run


def write_log(run: Run, text: str) -> None:
    logs.LogWriter(run.uuid, logs.DRIVER_LOG, attempt=1).write(text.encode())


def keep(run: Run, path: str, content: bytes) -> Artifact:
    blob = artifacts.blob_of(run.uuid, path)
    studio_store().write_bytes(blob, content)
    return artifacts.record_artifact(run.pk, path=path, blob=blob, size=len(content))


def log_of(run_uuid, **part) -> bytes:
    return b"".join(logs.stream_log(run_uuid, **part))

"""What an attempt stored that another one took over is removed from the storage; what counts stays."""

import io
import os
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import TestCase
from django.utils import timezone

from endpoints import data
from endpoints import services as definitions
from endpoints.models import Datastore
from runs import engine
from runs.engine import storage_cleanup, stored_outputs, worker_names
from runs.engine.claimed_step import load
from runs.models import Artifact, Kind, Outcome, Run, StepAttempt, StepRun, Worker
from runs.states import Status
from runs.tracking import artifacts, author, replaced_artifacts
from studio.storage.store import studio_store

pytestmark = pytest.mark.django_db

MAKE = """
    import os, pathlib, sys
    os.makedirs("outputs", exist_ok=True)
    pathlib.Path("outputs/kept.txt").write_text("kept")
    for place in sys.argv[1:]:
        os.makedirs(place, exist_ok=True)
        pathlib.Path(place, "a.txt").write_text("2")
"""
# By output, where it goes: nowhere in particular, to a folder of the run, and to one somebody chose.
DESTINATIONS = {"plain": None, "named": "mine/{run-id}/deep", "chosen": "a/b"}


def publish(studio, destinations):
    outputs = {name: {"destination": name} for name in destinations}
    for name, path in destinations.items():
        if path:
            outputs[name]["path_on_datastore"] = path
    arguments = [f"output:{name}" for name in destinations]
    steps = {"one": {"arguments": arguments, "outputs": outputs}}
    return studio.publish(steps=steps, scripts={"one.py": MAKE})


@pytest.fixture
def pipeline(studio):
    return publish(studio, DESTINATIONS)


class Attempt:
    """One that has stored its outputs, with a file that it left half written, and uploaded to its runs
    and to one that it began."""

    def __init__(self, worker: str = "gone"):
        self.claim = engine.claim(worker, ["cpu-cluster"])
        self.job = load(self.claim)
        step = self.job.step.run
        self.child = Run.objects.create(
            workspace=step.workspace,
            experiment=step.experiment,
            kind=Kind.CHILD,
            parent=step,
            root_id=step.root_id,
            attempt=self.claim.attempt,
        )
        self.write()

    def write(self) -> None:
        for name, place in self.job.step.outputs.items():
            file = self.located(place, "a.txt")
            known = {"run": self.job.run.uuid, "attempt": self.claim.attempt, "port": name}
            stored_outputs.record(place, [data.Entry(file.path, 1)], **known)
            file.write(io.BytesIO(b"1"))
            half = self.located(place, f".{uuid4().hex}.partial")
            half.write(io.BytesIO(b""))
            if half.local:
                os.utime(half.local, (0, 0))
        for run in (self.job.run, self.job.run.parent, self.child):
            self.upload(run)

    def located(self, place, name: str) -> data.Location:
        return data.locate(self.job.run.workspace, place["datastore"], f"{place['path']}/{name}")

    def upload(self, run: Run) -> None:
        source = settings.STUDIO_DATA / "source"
        source.write_text("1")
        try:
            artifacts.add_artifact(run, "outputs/up.txt", source, author=self.job.author)
        except author.Superseded:
            pass


def everything() -> set[str]:
    """All files of the studio's storage but code and logs, and all empty folders of datastores."""
    top = studio_store().folder
    found = {path.relative_to(top) for path in top.rglob("*") if path.is_file()}
    empty = {path.relative_to(top) for path in top.rglob("*") if path.is_dir() and is_empty(path)}
    return {
        *(str(path) for path in found if path.parts[0] != "snapshots" and "logs" not in path.parts),
        *(str(path) for path in empty if path.parts[0] == "datastores"),
    }


def is_empty(folder: Path) -> bool:
    return next(folder.iterdir(), None) is None


def later(hours: float):
    return timezone.now() + timedelta(hours=hours)


def test_what_lost_attempts_left_is_removed_and_what_counts_stays(studio, pipeline):
    run = studio.submit(pipeline)
    before = everything()
    first = Attempt()
    engine.finish(first.claim, Outcome.LOST)
    first.write()  # it was paused, and goes on
    assert storage_cleanup.clean_up(later(2)) == 0, "its step goes on"
    studio.work()
    run.refresh_from_db()
    assert run.status == Status.COMPLETED, run.error
    step = studio.step(run)
    first.write()
    left = everything()
    assert storage_cleanup.clean_up() == 0, "a paused worker may still write"
    assert everything() == left
    assert storage_cleanup.clean_up(later(2)) == 1

    outputs = [f"{place['path']}/a.txt" for place in step.outputs.values()]
    assert step.outputs["chosen"]["path"] == "a/b"
    store = f"datastores/{run.workspace.uuid}/workspaceblobstore"
    listings = [place["stored"]["listing"] for place in step.outputs.values()]
    blobs = Artifact.objects.values_list("blob", flat=True)
    assert [blob.rpartition("/")[2] for blob in blobs] == ["kept.txt"]
    kept = {*before, *(f"{store}/{path}" for path in outputs), *listings, *blobs}
    assert everything() - before == kept - before
    assert storage_cleanup.clean_up(later(2)) == 0


def test_who_writes_after_that_is_cleaned_up_after_again(studio, pipeline):
    run = studio.submit(pipeline)
    first = Attempt()
    engine.finish(first.claim, Outcome.LOST)
    studio.work()
    storage_cleanup.clean_up(later(2))
    kept = everything()
    first.write()
    assert everything() > kept
    engine.finish(first.claim, Outcome.COMPLETED)
    assert StepAttempt.objects.get(step=studio.step(run), number=1).outcome == Outcome.INTERRUPTED
    storage_cleanup.clean_up(later(2))
    assert everything() == kept


def test_a_paused_process_is_waited_for(studio, pipeline):
    studio.submit(pipeline)
    worker = worker_names.name_of_this_process()  # which is there
    first = Attempt(worker)
    engine.finish(first.claim, Outcome.LOST)
    studio.work()
    left = everything()
    assert storage_cleanup.clean_up(later(2)) == 0
    assert everything() == left
    Worker.objects.create(name=worker, role="worker", host="here", pid=os.getpid())
    assert storage_cleanup.clean_up(later(2)) == 1  # it has gone on, and heard of its loss
    assert everything() < left


def test_what_was_decided_to_count_is_delivered_and_leaves_no_empty_folder(studio, pipeline):
    run = studio.submit(pipeline)
    first = Attempt()
    first.job.changes = {"outputs": first.job.step.outputs}
    StepRun.objects.filter(pk=first.claim.step_id).update(
        delivery={"changes": first.job.changes, "missing": [], "warnings": [], "error": ""}
    )
    engine.finish(first.claim, Outcome.LOST)
    studio.work()
    run.refresh_from_db()
    assert run.status == Status.COMPLETED, run.error
    assert storage_cleanup.clean_up(later(2)) == 0
    files = {path for path in everything() if path.endswith("a.txt")}
    assert len(files) == len(DESTINATIONS)
    staged = f"azureml/{first.job.run.uuid}/chosen"
    assert [path for path in everything() if staged in path and ".partial" not in path] == []


def test_what_the_last_failed_attempt_left_stays(studio, pipeline):
    """Its work may be nowhere else."""
    studio.submit(pipeline)
    StepRun.objects.update(retries=1, retry_delay_seconds=0)
    for _ in range(2):
        last = Attempt()
        engine.finish(last.claim, Outcome.FAILED)
        engine.advance(last.claim.run_id)
    assert storage_cleanup.clean_up(later(2)) == 1
    [place] = {path.split("/")[4] for path in everything() if "/azureml/" in path}
    assert place == f"{last.job.run.uuid}.2"


def test_a_store_that_is_away_is_tried_again(studio, pipeline, tmp_path):
    share = tmp_path / "share"
    share.mkdir()
    Datastore.objects.filter(name="workspaceblobstore").update(url=f"file://{share}")
    studio.submit(pipeline)
    engine.finish(Attempt().claim, Outcome.LOST)
    studio.work()
    lost = [path for path in share.rglob("a.txt") if path.read_text() == "1"]
    assert len(lost) == len(DESTINATIONS)
    away = share.rename(tmp_path / "away")
    assert storage_cleanup.clean_up(later(2)) == 0
    away.rename(share)
    assert storage_cleanup.clean_up(later(2)) == 1
    assert not any(map(Path.exists, lost))


@pytest.mark.parametrize("destination", [None, "mine/{run-id}/m.bin", "chosen/m.bin"])
def test_half_of_an_output_that_is_one_file_goes(studio, destination):
    studio.submit(publish(studio, {"made": destination}))
    claim = engine.claim("gone", ["cpu-cluster"])
    job = load(claim)
    place = job.step.outputs["made"]
    file = data.locate(job.run.workspace, place["datastore"], place["path"])
    of_this = {"run": job.run.uuid, "attempt": claim.attempt, "port": "made"}
    stored_outputs.record(place, [data.Entry(file.path, 10)], **of_this)
    file.local.parent.mkdir(parents=True)
    half = file.local.with_name(f".{uuid4().hex}.partial")
    half.write_text("half")
    os.utime(half, (0, 0))
    engine.finish(claim, Outcome.LOST)
    studio.work()
    assert storage_cleanup.clean_up(later(2)) == 1
    assert not half.parent.exists()


def lose_one(studio, destinations) -> tuple[StepRun, Attempt]:
    """A step whose first attempt was lost and whose second one completed."""
    run = studio.submit(publish(studio, destinations))
    first = Attempt()
    engine.finish(first.claim, Outcome.LOST)
    studio.work()
    step = studio.step(run)
    assert step.run.status == Status.COMPLETED, step.run.error
    return step, first


def left_of(step: StepRun) -> dict[str, list[str]]:
    """The files of each output of a step."""
    places = {
        name: data.locate(step.run.workspace, place["datastore"], place["path"])
        for name, place in step.outputs.items()
    }
    return {name: [file.path for file in place.files()] for name, place in places.items()}


@pytest.mark.parametrize("url", [None, "memory://"])
@pytest.mark.parametrize("name", ["mine/{run-id}*", "mine/{run-id}[.]2", "mine/{run-id}/out [v1]"])
def test_names_are_no_patterns(studio, url, name):
    if url:
        Datastore.objects.filter(name="workspaceblobstore").update(url=url + uuid4().hex)
    step, first = lose_one(studio, {"made": name})
    counts = left_of(step)
    assert all(counts.values())
    lost = first.located(first.job.step.outputs["made"], "a.txt")
    assert lost.exists()
    assert storage_cleanup.clean_up(later(2)) == 1
    assert not lost.exists()
    assert left_of(step) == counts


def test_two_attempts_may_share_a_place(studio):
    step, _ = lose_one(studio, {"one": "mine/{run-id}", "two": "mine/{run-id}.2"})
    counts = left_of(step)
    assert all(counts.values())
    storage_cleanup.clean_up(later(2))
    assert left_of(step) == counts


def test_what_others_put_there_stays(studio):
    _, first = lose_one(studio, {"made": "mine/{run-id}"})
    theirs = first.located(first.job.step.outputs["made"], "deep/report.csv")
    theirs.write(io.BytesIO(b"theirs"))
    written_again = first.located(first.job.step.outputs["made"], "a.txt")
    written_again.write(io.BytesIO(b"theirs"))
    storage_cleanup.clean_up(later(2))
    assert theirs.exists()
    assert written_again.exists()


def second_store(workspace, below: str = "") -> Datastore:
    """The folder of the first one, or one in it."""
    folder = data.locate(workspace, "workspaceblobstore", below).local
    folder.mkdir(parents=True, exist_ok=True)
    return Datastore.objects.create(workspace=workspace, name="second", url=f"file://{folder}")


def test_two_datastores_may_share_a_place(studio):
    second_store(studio.actor.workspace)
    run = studio.submit(publish(studio, {"one": "mine/{run-id}", "two": "mine/{run-id}.2"}))
    step = studio.step(run)
    step.outputs["two"]["datastore"] = "second"
    step.save(update_fields=["outputs"])
    engine.finish(Attempt().claim, Outcome.LOST)
    studio.work()
    counts = left_of(studio.step(run))
    assert all(counts.values())
    storage_cleanup.clean_up(later(2))
    assert left_of(studio.step(run)) == counts


def make_dataset(actor, datastore: str, path: str) -> None:
    uri = data.datastore_uri(actor.workspace, datastore, path)
    kind, dataflow = data.write_output_dataflow(uri, "")
    definitions.register_dataset(
        actor, name="kept", dataset_type=kind, dataflow=dataflow, create_new_version=True
    )


@pytest.mark.parametrize("destination", [None, "my größe, 100%/{run-id}/x", "{run-id}/x/[a]"])
@pytest.mark.parametrize("part", ["all of it", "a file", "the folder above"])
def test_what_became_a_dataset_stays(studio, destination, part):
    _, first = lose_one(studio, {"made": destination})
    place = first.job.step.outputs["made"]
    paths = {"all of it": place["path"], "a file": f"{place['path']}/a.txt"}
    path = paths.get(part) or place["path"].rpartition("/")[0]
    make_dataset(studio.actor, place["datastore"], path)
    storage_cleanup.clean_up(later(2))
    assert first.located(place, "a.txt").exists()


def test_it_stays_when_its_dataset_names_another_datastore(studio):
    _, first = lose_one(studio, {"made": None})
    place = first.job.step.outputs["made"]
    second_store(studio.actor.workspace, "azureml")
    make_dataset(studio.actor, "second", place["path"].removeprefix("azureml/"))
    storage_cleanup.clean_up(later(2))
    assert first.located(place, "a.txt").exists()


def test_a_dataset_of_what_counts_keeps_nothing_else(studio):
    step, first = lose_one(studio, {"made": None})
    make_dataset(studio.actor, "workspaceblobstore", step.outputs["made"]["path"])
    storage_cleanup.clean_up(later(2))
    assert not first.located(first.job.step.outputs["made"], "a.txt").exists()


def test_what_nobody_did_again_stays(studio):
    run = studio.submit(publish(studio, {"made": None}))
    StepRun.objects.update(retries=1, retry_delay_seconds=3600)
    first = Attempt()
    engine.finish(first.claim, Outcome.FAILED, error="a name")
    engine.cancel_steps(run.pk, "somebody asked")
    assert studio.step(run).run.status == Status.CANCELED
    assert storage_cleanup.clean_up(later(2)) == 0
    assert first.located(first.job.step.outputs["made"], "a.txt").exists()


def test_what_cannot_be_removed_keeps_nothing_else(studio):
    _, broken = lose_one(studio, {"made": "mine/{run-id}", "other": None})
    _, whole = lose_one(studio, {"made": "mine/{run-id}"})
    place = broken.located(broken.job.step.outputs["made"], "").local
    place.rename(place.with_name("elsewhere"))
    place.symlink_to(place.name)  # in a circle
    assert storage_cleanup.clean_up(later(2)) == 1
    for gone in (whole.job.step.outputs["made"], broken.job.step.outputs["other"]):
        assert not broken.located(gone, "a.txt").exists()
    assert StepAttempt.objects.get(cleanup_at__isnull=False).step_id == broken.claim.step_id


def test_of_two_steps_that_upload_one_file_the_last_ones_is_kept(studio):
    script = """
        from azureml.core import Run
        open("f.txt", "w").write("x")
        Run.get_context().parent.upload_file("outputs/up.txt", "f.txt")
    """
    scripts = dict.fromkeys(["one.py", "two.py"], script)
    with TestCase.captureOnCommitCallbacks(execute=True):
        run = studio.run(studio.publish(steps={"one": {}, "two": {}}, scripts=scripts))
    assert run.status == Status.COMPLETED
    replaced_artifacts.clean_up(later(2))
    blobs = {path for path in everything() if path.endswith("up.txt")}
    assert blobs == set(Artifact.objects.filter(run=run).values_list("blob", flat=True))

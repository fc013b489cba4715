"""What an attempt said is shown live, and taken back when another attempt follows; its log stays."""

import io
import json
import uuid

import pytest
from django.db import transaction
from django.test import TestCase

from endpoints import data
from endpoints import services as definitions
from endpoints.models import Dataset, DatasetVersion, Datastore
from runs import engine, run_tokens, services
from runs.engine.claimed_step import load
from runs.engine.step_reports import StepReports
from runs.models import (
    Artifact,
    Asset,
    Kind,
    Metric,
    MetricValue,
    Outcome,
    RegisteredModel,
    Run,
    StepAttempt,
)
from runs.states import Status
from runs.tracking import artifacts
from runs.tracking.model_files import ModelFiles
from runs.tracking.tags import merge
from studio.core import tokens
from studio.core.access import system_actor
from studio.core.errors import Forbidden
from studio.storage.store import studio_store
from tests.runs import playing
from tests.runs.shown import log_of

pytestmark = pytest.mark.django_db

FACTS = [
    {"kind": "metric", "name": "loss", "value": {"loss": 0.5}},
    {"kind": "tag", "key": "kind", "value": "test"},
    {"kind": "tag", "key": "team", "value": "theirs"},
    {"kind": "property", "key": "seed", "value": "7"},
    {"kind": "display_name", "value": "said so"},
    {"kind": "description", "value": "long"},
]


class Said:
    """An attempt that says things of its step and of the run above, by files as scripts do."""

    def __init__(self, claim, folder):
        self.job = load(claim)
        self.claim = claim
        self.folder = folder / str(claim.attempt)
        self.uploads = self.folder / "uploads"
        self.uploads.mkdir(parents=True)
        run = self.job.tracked_run
        self.reports = StepReports(self.folder, self.job.author, run, run.parent)

    def say(self, rows=FACTS) -> None:
        with (self.folder / "facts.jsonl").open("a") as file:
            for run in (self.job.tracked_run, self.job.tracked_run.parent):
                for fact in [*rows, self.upload(run)]:
                    file.write(json.dumps({**fact, "run": str(run.uuid)}) + "\n")
        assert self.reports.apply()

    def upload(self, run) -> dict:
        source = self.uploads / uuid.uuid4().hex
        source.write_text(f"of attempt {self.claim.attempt}")
        return {"kind": "upload", "path": "outputs/a.txt", "file": str(source)}


@pytest.fixture
def run(actor, storage_folder):
    run = playing.start(actor)
    for each in (run, run.children.get()):
        merge(each.pk, tags={"team": "ours"})
    return run


def seen(run) -> list:
    """What both runs show of the facts."""
    shown = []
    for each in Run.objects.filter(root=run).order_by("pk"):
        values = MetricValue.objects.filter(metric__run=each).values_list("data", flat=True)
        found = Artifact.objects.filter(run=each).values_list("path", "blob")
        files = {path: studio_store().open(blob).read().decode() for path, blob in found}
        tags = {key: each.tags.get(key) for key in ("kind", "team")}
        searched = dict(each.attributes.filter(key__in=tags).values_list("key", "value"))
        assert searched == {key: value for key, value in tags.items() if value}
        names = (each.display_name, each.description, each.properties.get("seed"))
        shown.append([list(values), files, tags, names])
    return shown


@pytest.mark.parametrize("end", [Outcome.LOST, Outcome.INTERRUPTED, Outcome.FAILED])
def test_what_a_lost_attempt_said_is_taken_back_and_counts_once(run, tmp_path, end):
    run.children.get().step.__class__.objects.update(retries=1, retry_delay_seconds=0)
    before = seen(run)
    first = Said(playing.take(), tmp_path)
    first.say()
    live = seen(run)
    assert live != before
    [[values, files, tags, names], _] = live
    assert (values, files) == ([{"loss": 0.5}], {"outputs/a.txt": "of attempt 1"})
    assert (tags["team"], names) == ("theirs", ("said so", "long", "7"))
    engine.finish(first.claim, end)
    assert seen(run) == before
    assert not Metric.objects.exists()

    first.say()  # it woke up
    assert seen(run) == before
    second = Said(playing.take(), tmp_path)
    first.say()
    assert seen(run) == before
    second.say()
    first.say()
    assert engine.finish(second.claim, Outcome.COMPLETED)
    for values, files, _, _ in seen(run):
        assert (values, files) == ([{"loss": 0.5}], {"outputs/a.txt": "of attempt 2"})


def test_a_script_s_run_takes_back_what_it_said_of_the_run_above_it(
    actor, storage_folder, tmp_path
):
    above = playing.start(actor)
    playing.play(above)
    run = playing.start(actor, parent=above, kind=Kind.SCRIPT)
    for end in (Outcome.LOST, Outcome.COMPLETED):
        said = Said(playing.take(), tmp_path)
        assert said.job.tracked_run == run
        said.say()
        engine.finish(said.claim, end)
    for each in (run, above):
        assert MetricValue.objects.filter(metric__run=each).count() == 1


def test_what_somebody_else_changed_since_stays(run, tmp_path):
    first = Said(playing.take(), tmp_path)
    first.say()
    merge(run.pk, tags={"team": "changed"}, display_name="renamed")
    engine.finish(first.claim, Outcome.LOST)
    run.refresh_from_db()
    assert (run.tags, run.display_name) == ({"team": "changed"}, "renamed")


class TestByToken:
    """The same over the wire, with the step's own token."""

    @pytest.fixture
    def claim(self, run):
        return playing.take()

    @pytest.fixture
    def step(self, run, claim):
        return run.children.get()

    @pytest.fixture
    def in_step(self, step):
        return token_of(step)

    def say(self, in_step, run):
        services.log_metrics(in_step, run, [{"name": "loss", "points": [{"data": {"loss": 1}}]}])
        services.edit(in_step, run, tags={"kind": "test"})

    def test_facts_and_child_runs_are_the_attempts(self, run, claim, step, in_step):
        before = seen(run)
        for told in (step, run):
            self.say(in_step, told)
        child = services.make_child(in_step, uuid=uuid.uuid4(), parent=step)
        below = services.make_child(in_step, uuid=uuid.uuid4(), parent=child)
        self.say(in_step, below)
        outside = services.make_child(
            playing_actor(run), uuid=uuid.uuid4(), parent=step, status=Status.RUNNING
        )
        engine.finish(claim, Outcome.LOST)
        assert set(Run.objects.filter(kind="Child")) == {outside}
        outside.delete()
        assert seen(run) == before
        assert not MetricValue.objects.exists()

    def test_a_call_that_comes_too_late_is_refused(self, run, claim, step, in_step):
        engine.finish(claim, Outcome.LOST)
        playing.take("worker-2")
        before = seen(run)
        with pytest.raises(Forbidden, match="attempt"):
            services.log_metrics(in_step, step, [{"name": "m", "points": [{"data": {"m": 1}}]}])
        with pytest.raises(Forbidden, match="attempt"):
            services.edit(in_step, step, status=Status.FAILED)
        with pytest.raises(Forbidden, match="attempt"):
            services.make_child(in_step, uuid=uuid.uuid4(), parent=step)
        assert seen(run) == before

    def told(self, which, run, step, in_step):
        """One of the runs of which the attempt can say something."""
        if which == "child":
            return services.make_child(in_step, uuid=uuid.uuid4(), parent=step)
        return {"step": step, "above": run}[which]

    def make_model(self, actor, told):
        asset = services.create_asset(actor, name="m", paths=["outputs"], run=told)
        services.register_model(actor, name="m", asset=asset, run=told)

    @pytest.mark.parametrize("which", ["step", "above", "child"])
    def test_a_model_that_it_made_goes_with_its_files(self, which, run, claim, step, in_step):
        told = self.told(which, run, step, in_step)
        keep(in_step, told, b"first")
        self.make_model(in_step, told)
        engine.finish(claim, Outcome.INTERRUPTED)
        assert not RegisteredModel.objects.exists()
        playing.take()
        step.refresh_from_db()
        keep(token_of(step), run, b"second")
        self.make_model(token_of(step), run)

    @pytest.mark.parametrize("which", ["step", "above", "child"])
    def test_what_somebody_made_a_model_of_stays(self, which, run, claim, step, in_step):
        told = self.told(which, run, step, in_step)
        keep(in_step, told, b"first")
        self.make_model(playing_actor(run), told)
        with TestCase.captureOnCommitCallbacks(execute=True):
            engine.finish(claim, Outcome.LOST)
        assert RegisteredModel.objects.get().asset.run == told
        [blob] = Artifact.objects.filter(run=told).values_list("blob", flat=True)
        assert studio_store().open(blob).read() == b"first"

    def test_what_somebody_else_is_about_to_make_a_model_of_stays(self, run, claim, step, in_step):
        keep(playing_actor(run), step, b"theirs", path="theirs/m.pkl")
        keep(in_step, step, b"own", path="outputs/m.pkl")
        theirs = services.create_asset(playing_actor(run), name="m", paths=["theirs"], run=step)
        services.create_asset(in_step, name="m", paths=["outputs"], run=step)
        engine.finish(claim, Outcome.LOST)
        assert Asset.objects.get() == theirs

    @pytest.mark.parametrize("what", ["file", "metric"])
    def test_a_child_run_in_which_somebody_else_stored_something_stays(
        self, what, run, claim, step, in_step
    ):
        child = services.make_child(in_step, uuid=uuid.uuid4(), parent=step)
        self.say(in_step, child)
        if what == "file":
            keep(playing_actor(run), child, b"theirs", path="theirs.txt")
        else:
            self.say(playing_actor(run), child)
        engine.finish(claim, Outcome.LOST)
        child.refresh_from_db()
        assert child.status == Status.FAILED

    def test_datasets_that_it_registered_go_with_it(self, run, claim, step, in_step, workspace):
        Datastore.objects.get_or_create(workspace=workspace, name="store")
        uri = data.datastore_uri(workspace, "store", "a")
        kind, flow = data.write_output_dataflow(uri, "")

        def register(actor, name, description):
            return definitions.register_dataset(
                actor,
                name=name,
                dataset_type=kind,
                dataflow=flow,
                description=description,
                create_new_version=True,
            )

        register(playing_actor(run), "theirs", "theirs")
        for name in ("theirs", "new"):
            register(in_step, name, "of the attempt")
        assert Dataset.objects.get(name="theirs").description == "of the attempt"
        engine.finish(claim, Outcome.LOST)
        [version] = DatasetVersion.objects.all()
        assert (version.dataset.name, version.number) == ("theirs", 1)
        assert [dataset.description for dataset in Dataset.objects.all()] == ["theirs"]

    @pytest.mark.parametrize("which", ["step", "above"])
    def test_what_somebody_else_said_of_its_runs_stays(self, which, run, claim, step, in_step):
        told = self.told(which, run, step, in_step)
        for actor, path in ((in_step, "lost.txt"), (playing_actor(run), "theirs.txt")):
            keep(actor, told, b"words", path=path)
            self.say(actor, told)
        with TestCase.captureOnCommitCallbacks(execute=True):
            engine.finish(claim, Outcome.LOST)
        kept = Artifact.objects.get()
        assert (kept.path, studio_store().open(kept.blob).read()) == ("theirs.txt", b"words")
        assert MetricValue.objects.get().metric.run == told

    def test_files_that_it_sent_go_with_it(self, run, claim, step, in_step):
        keep(playing_actor(run), run, b"theirs", path="theirs.txt")
        for told in (run, step):
            keep(in_step, told, b"own", path="own.txt")
        services.append_to_artifact(
            in_step, run, path="own.txt", stream=io.BytesIO(b", more"), at=None
        )
        services.append_to_artifact(
            in_step, run, path="theirs.txt", stream=io.BytesIO(b", more"), at=None
        )
        engine.finish(claim, Outcome.LOST)
        assert list(Artifact.objects.values_list("path", flat=True)) == ["theirs.txt"]
        with pytest.raises(Forbidden, match="attempt"), transaction.atomic():
            keep(in_step, run, b"late", path="late.txt")
        assert not Artifact.objects.filter(path="late.txt").exists()


def playing_actor(run):
    return system_actor(run.workspace)


def token_of(step):
    """The actor of its present attempt."""
    return run_tokens.reader(tokens.decode(run_tokens.make(step)[0]))


def keep(actor, run, words, *, path="outputs/m.pkl"):
    return services.keep_artifact(actor, run, path=path, stream=io.BytesIO(words))


def test_nothing_is_taken_back_from_a_step_that_ends(run, tmp_path):
    said = Said(playing.take(), tmp_path)
    said.say()
    engine.finish(said.claim, Outcome.FAILED, error="no")
    [[values, _, _, _], _] = seen(run)
    assert values == [{"loss": 0.5}]
    assert StepAttempt.objects.get().outcome == Outcome.FAILED


def test_a_file_that_has_just_become_a_model_s_is_not_stored_again(run, tmp_path):
    """The step's script uploads it once more when the worker has read which models there are."""
    said = Said(playing.take(), tmp_path)
    said.say()
    told, source = said.job.tracked_run, tmp_path / "source"
    models = ModelFiles(told)
    assert models.models == []
    actor = playing_actor(run)
    asset = services.create_asset(actor, name="m", paths=["outputs"], run=told)
    services.register_model(actor, name="m", asset=asset, run=told)
    source.write_text("changed")
    refusal = artifacts.store_file(
        told, "outputs/a.txt", source, author=said.job.author, models=models
    )
    assert "belongs to the registered model m:1" in refusal
    blob = Artifact.objects.get(run=told).blob
    assert studio_store().open(blob).read() == b"of attempt 1"


def test_each_attempt_stores_its_outputs_apart_and_its_end_says_which_count(studio):
    """The second attempt does not write over what the first left, nor the first over the second's."""
    script = """
        import pathlib, sys
        mark = pathlib.Path(sys.argv[1])
        tried = mark.exists()
        mark.touch()
        out = pathlib.Path(sys.argv[2])
        out.mkdir()
        (out / f"{'second' if tried else 'first'}.txt").write_text("x")
        (out / "both.txt").write_text(str(tried))
    """
    mark = str(studio.path / "mark")
    steps = {
        "one": {
            "arguments": [mark, "output:made"],
            "outputs": {"made": {"destination": "mid"}},
        },
        "two": {"arguments": ["input:got"], "inputs": {"got": {"source": "mid"}}},
    }
    reads = "import os, sys; print(sorted(os.listdir(sys.argv[1])))"
    pipeline = studio.publish(steps=steps, scripts={"one.py": script, "two.py": reads})
    run = studio.submit(pipeline)
    thawed = engine.claim("frozen", ["cpu-cluster"])
    job = load(thawed)
    engine.finish(thawed, Outcome.LOST)
    studio.work()
    run.refresh_from_db()
    assert run.status == Status.COMPLETED, run.error
    # It wakes up and goes on to store what it has, over nobody's files.
    place = job.step.outputs["made"]
    late = data.locate(run.workspace, place["datastore"], f"{place['path']}/late.txt")
    late.write(io.BytesIO(b"late"))
    assert not engine.finish(thawed, Outcome.COMPLETED, step_changes={"outputs": job.step.outputs})
    kept = studio.step(run).outputs["made"]
    assert kept["path"] != place["path"]
    found = data.locate(run.workspace, kept["datastore"], kept["path"]).files()
    assert sorted(entry.path.rpartition("/")[2] for entry in found) == ["both.txt", "first.txt"]
    log = log_of(studio.step(run, "two").run.uuid)
    assert log == b"['both.txt', 'first.txt']\n"

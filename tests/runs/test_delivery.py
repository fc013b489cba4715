"""An output goes to the destination that somebody chose when it counts, and not before; whoever finds it
half way there goes on."""

import io
from threading import Timer
from uuid import uuid4

import pytest

from endpoints import data
from endpoints.models import Datastore
from runs import engine
from runs.engine import delivery, stored_outputs
from runs.engine.claimed_step import load
from runs.engine.outages import GivenUp
from runs.models import Metric, Outcome, Run, StepAttempt, StepRun
from runs.states import Status
from runs.steps import Stop
from runs.tracking import metrics
from tests.runs.shown import log_of

pytestmark = pytest.mark.django_db

MAKE = """
    import os, pathlib, sys
    with open(sys.argv[1], "a") as mark:
        mark.write("x")
    out = pathlib.Path(sys.argv[2])
    (out / "deep").mkdir(parents=True, exist_ok=True)
    (out / "a.txt").write_text("a of a body")
    (out / "deep" / "b.txt").write_text("b of a body")
"""
LEAVE_FILE = """
    import os, pathlib, sys
    os.rmdir(sys.argv[2])
    pathlib.Path(sys.argv[2]).write_text("1,2")
"""
READ = """
    import os, sys
    print(sorted(os.path.relpath(os.path.join(top, name), sys.argv[1])
        for top, _, names in os.walk(sys.argv[1]) for name in names))
"""
BOTH = ["a.txt", "deep/b.txt"]


@pytest.fixture
def pipeline(studio):
    """`one` leaves its output at `a/b` of the default store, `two` lists what it gets."""

    def publish(*, make=MAKE, path="a/b", reuse=False, **setting):
        return studio.publish(
            steps={
                "one": {
                    "allow_reuse": reuse,
                    "arguments": [str(studio.path / "mark"), "output:made"],
                    "outputs": {
                        "made": {"destination": "mid", "path_on_datastore": path, **setting}
                    },
                },
                "two": {"arguments": ["input:got"], "inputs": {"got": {"source": "mid"}}},
            },
            scripts={"one.py": make, "two.py": READ},
        )

    return publish


@pytest.fixture
def destination(actor):
    return data.locate(actor.workspace, "workspaceblobstore", "a/b")


def below(place) -> dict[str, str]:
    """What is at a place."""
    return {
        entry.path.removeprefix(f"{place.path}/"): place.found(entry.path).open().read().decode()
        for entry in place.files()
    }


def times_run(studio) -> int:
    return len((studio.path / "mark").read_text())


def read_by_two(studio, run) -> str:
    return log_of(studio.step(run, "two").run.uuid).decode().strip()


def test_other_files_of_the_destination_stay_and_nothing_is_left_elsewhere(
    studio, pipeline, destination
):
    for name in ("a.txt", "theirs.txt"):
        destination.child(f"a/b/{name}").write(io.BytesIO(b"before"))
    run = studio.run(pipeline())
    assert run.status == Status.COMPLETED, run.error
    bodies = {"a.txt": "a of a body", "deep/b.txt": "b of a body"}
    assert below(destination) == {**bodies, "theirs.txt": "before"}
    assert read_by_two(studio, run) == str([*BOTH, "theirs.txt"])
    step = studio.step(run)
    assert step.outputs["made"]["path"] == "a/b"
    assert step.outputs["made"]["stored"]["files"] == 2
    assert step.delivery is None
    assert not list(destination.child("azureml").files())


@pytest.mark.parametrize(
    ("path", "kept"),
    [("a//b/{run-id}", "a/b/{run-id}"), ("./a/{run-id}/", "a/{run-id}"), ("a/./b", "a/b")],
)
def test_a_destination_may_be_spelt_in_several_ways(studio, pipeline, path, kept):
    run = studio.run(pipeline(path=path))
    assert run.status == Status.COMPLETED, run.error
    step = studio.step(run)
    assert step.outputs["made"]["path"] == kept.replace("{run-id}", str(step.run.uuid))
    assert read_by_two(studio, run) == str(BOTH)


@pytest.mark.parametrize("path", ["/", "."])
def test_the_top_of_a_datastore_is_a_destination(studio, pipeline, destination, path):
    run = studio.run(pipeline(path=path))
    assert run.status == Status.COMPLETED, run.error
    assert [entry.path for entry in destination.child("").files()] == BOTH
    assert read_by_two(studio, run) == str(BOTH)


def test_an_output_of_one_file_is_its_destination_and_is_reused(studio, pipeline):
    published = pipeline(make=LEAVE_FILE, path="a/b.csv", reuse=True)
    run = studio.run(published)
    assert run.status == Status.COMPLETED, run.error
    place = studio.step(run).outputs["made"]
    file = data.locate(run.workspace, place["datastore"], "a/b.csv")
    assert (place["path"], file.open().read()) == ("a/b.csv", b"1,2")
    again = studio.run(published)
    assert studio.step(again).reused_from_id == studio.step(run).pk
    assert studio.step(again).outputs["made"]["path"] == "a/b.csv"
    file.local.unlink()
    assert studio.step(studio.run(published)).reused_from_id is None


def test_what_cannot_be_delivered_fails_by_name_and_is_delivered_without_another_run(
    studio, pipeline, destination
):
    """A folder is where a file belongs. The next attempt only goes on with what was stored."""
    blocking = destination.child("a/b/deep/b.txt").local
    blocking.mkdir(parents=True)
    run = studio.submit(pipeline())
    StepRun.objects.filter(run__parent=run).update(retries=1, retry_delay_seconds=0)
    claim = engine.claim(studio.worker.name, ["cpu-cluster"])
    with studio.worker._stop_flag_for(claim) as flag:
        engine.execute(claim, flag, studio.worker.watchdog)
    step = studio.step(run)
    assert step.run.status == Status.QUEUED
    assert "is a folder already" in StepAttempt.objects.get(step=step).error
    assert step.outputs["made"]["path"] == "a/b"
    blocking.rmdir()
    studio.work()
    run.refresh_from_db()
    assert run.status == Status.COMPLETED, run.error
    assert times_run(studio) == 1
    assert read_by_two(studio, run) == str(BOTH)
    assert studio.step(run).outputs["made"]["stored"]["files"] == 2


class Stored:
    """An attempt whose body is over and which has stored its output."""

    def __init__(self, worker: str, text: bytes):
        self.claim = engine.claim(worker, ["cpu-cluster"])
        self.job = load(self.claim)
        self.place = self.job.step.outputs["made"]
        workspace = self.job.run.workspace
        files = []
        for name in BOTH:
            path = f"{self.place['path']}/{name}"
            data.locate(workspace, self.place["datastore"], path).write(io.BytesIO(text))
            files.append(data.Entry(path, len(text)))
        author = self.job.author
        metrics.add_metric(
            self.claim.step_id,
            name="loss",
            points=[{"data": {"loss": 1}}],
            attempt=StepAttempt.objects.get(step=author.step_id, number=author.attempt).pk,
        )
        of_this = {"run": self.job.run.uuid, "attempt": self.claim.attempt, "port": "made"}
        self.job.changes = {
            "outputs": {"made": stored_outputs.record(self.place, files, **of_this)}
        }

    def deliver(self, trying, error: str = "") -> None:
        delivery.deliver(self.job, missing=[], warnings=["said"], retry=trying, error=error)

    def at_once(self):
        self.deliver(lambda act: act())

    def dying(self, *, after: int, error: str = ""):
        """Until so many things are done."""
        done = []

        def trying(act):
            if len(done) == after:
                raise GivenUp
            done.append(act())
            return done[-1]

        with pytest.raises(GivenUp):
            self.deliver(trying, error)


# The decision, the list, and each of the two files.
@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize("end", [Outcome.LOST, Outcome.INTERRUPTED])
def test_who_takes_up_a_lost_one_that_counts_only_delivers_it(
    studio, pipeline, destination, after, end
):
    run = studio.submit(pipeline())
    first = Stored("frozen", b"first")
    assert below(destination) == {}
    first.dying(after=after)
    assert len(below(destination)) == max(0, after - 2)
    engine.finish(first.claim, end)
    assert studio.step(run).run.status == Status.QUEUED
    studio.work()
    run.refresh_from_db()
    assert run.status == Status.COMPLETED, run.error
    assert not (studio.path / "mark").exists()  # no body ran again
    assert below(destination) == dict.fromkeys(BOTH, "first")
    assert read_by_two(studio, run) == str(BOTH)
    assert studio.step(run).warnings == ["said"]
    assert Metric.objects.get(run=studio.step(run).run, name="loss").values.count() == 1
    # It wakes up and goes on: nothing is left for it to do.
    destination.child("a/b/a.txt").write(io.BytesIO(b"of a later run"))
    first.at_once()
    assert below(destination)["a.txt"] == "of a later run"


def test_what_is_nowhere_any_more_fails_by_name(studio, pipeline, destination):
    run = studio.submit(pipeline())
    first = Stored("frozen", b"first")
    first.dying(after=3)
    engine.finish(first.claim, Outcome.LOST)
    [not_moved] = destination.child(first.place["path"]).files()
    destination.found(not_moved.path).remove()
    studio.work()
    step = studio.step(run)
    assert step.run.status == Status.FAILED
    assert "deep/b.txt is gone from workspaceblobstore/a/b" in step.run.error


def test_a_share_that_is_away_is_waited_for(studio, pipeline, tmp_path):
    share = tmp_path / "share"
    share.mkdir()
    Datastore.objects.filter(name="workspaceblobstore").update(url=f"file://{share}")
    run = studio.submit(pipeline())
    first = Stored("frozen", b"first")
    first.dying(after=1)
    engine.finish(first.claim, Outcome.LOST)
    away = share.rename(tmp_path / "away")
    back = Timer(0.5, away.rename, [share])
    back.start()
    studio.work()
    back.join()
    step = studio.step(run)
    assert step.run.status == Status.COMPLETED, step.run.error
    assert below(data.locate(run.workspace, "workspaceblobstore", "a/b")) == dict.fromkeys(
        BOTH, "first"
    )


def test_a_lost_one_that_had_not_ended_reaches_nothing(studio, pipeline, destination):
    run = studio.submit(pipeline())
    first = Stored("frozen", b"first")
    engine.finish(first.claim, Outcome.LOST)
    studio.work()
    run.refresh_from_db()
    assert run.status == Status.COMPLETED, run.error
    first.at_once()
    assert not engine.finish(first.claim, Outcome.COMPLETED, step_changes=first.job.changes)
    assert below(destination) == {"a.txt": "a of a body", "deep/b.txt": "b of a body"}
    assert studio.step(run).outputs["made"]["path"] == "a/b"


def test_a_step_that_declared_its_run_failed_or_was_canceled_delivers_nothing(
    studio, pipeline, destination
):
    for change in ({"error_code": "UserError"}, {"status": Status.CANCEL_REQUESTED}):
        studio.submit(pipeline())
        stored = Stored("worker", b"x")
        Run.objects.filter(pk=stored.claim.step_id).update(**change)
        stored.at_once()
        assert below(destination) == {}
        assert engine.finish(stored.claim, Outcome.COMPLETED)


ODD_NAME = (
    MAKE
    + """
    os.makedirs("outputs", exist_ok=True)
    open(b"outputs/\\xff.txt", "w").close()
"""
)


@pytest.mark.parametrize("retries", [0, 1])
def test_a_step_that_fails_for_a_name_alone_delivers_all_else(
    studio, pipeline, destination, retries
):
    """Only the last attempt delivers; an attempt that another one follows does not."""
    run = studio.submit(pipeline(make=ODD_NAME))
    StepRun.objects.filter(run__parent=run).update(retries=retries, retry_delay_seconds=0)
    for _ in range(retries):
        claim = engine.claim(studio.worker.name, ["cpu-cluster"])
        with studio.worker._stop_flag_for(claim) as flag:
            engine.execute(claim, flag, studio.worker.watchdog)
        assert below(destination) == {}
    studio.work()
    step = studio.step(run)
    assert (step.run.status, step.delivery) == (Status.FAILED, None)
    assert "a name that cannot be stored" in step.run.error
    assert step.outputs["made"]["path"] == "a/b"
    assert below(destination) == {"a.txt": "a of a body", "deep/b.txt": "b of a body"}
    assert times_run(studio) == 1 + retries


def test_a_worker_that_stops_at_the_end_of_the_delivery_repeats_nothing(
    studio, pipeline, destination, monkeypatch
):
    run = studio.submit(pipeline(make=ODD_NAME))
    claim = engine.claim(studio.worker.name, ["cpu-cluster"])
    with studio.worker._stop_flag_for(claim) as flag, monkeypatch.context() as patch:
        move = data.Location.move_to

        def move_and_stop(source, target):
            move(source, target)
            if "deep" in target.path:  # the last of its files
                flag.ask(Stop.INTERRUPTED)

        patch.setattr(data.Location, "move_to", move_and_stop)
        engine.execute(claim, flag, studio.worker.watchdog)
    assert studio.step(run).run.status == Status.QUEUED
    studio.work()
    assert studio.step(run).run.status == Status.FAILED
    assert times_run(studio) == 1
    assert below(destination) == {"a.txt": "a of a body", "deep/b.txt": "b of a body"}


def test_who_takes_up_a_lost_one_that_fails_delivers_it_and_fails(studio, pipeline, destination):
    run = studio.submit(pipeline())
    first = Stored("frozen", b"first")
    first.dying(after=2, error="a name cannot be stored")
    engine.finish(first.claim, Outcome.LOST)
    studio.work()
    step = studio.step(run)
    assert (step.run.status, step.run.error) == (Status.FAILED, "a name cannot be stored")
    assert not (studio.path / "mark").exists()  # no body ran again
    assert below(destination) == dict.fromkeys(BOTH, "first")


def test_files_of_a_store_far_away_are_moved_too(workspace):
    store = Datastore.objects.create(workspace=workspace, name="far", url=f"memory://{uuid4().hex}")
    source, target = (data.locate(workspace, store.name, path) for path in ("from/here", "to"))
    for name in BOTH:
        source.child(f"from/here/{name}").write(io.BytesIO(name.encode()))
    for _ in range(2):
        data.move_tree(source, target)
        assert below(target) == {name: name for name in BOTH}
        assert not list(source.files())

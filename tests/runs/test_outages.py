"""A database or a storage that is away for a while costs no work: what a step left is kept when it is back."""

import logging
import os
import subprocess
import sys
import textwrap
import time
from threading import Thread

import pytest
from django.db import connection
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import register_implementation

from endpoints import data
from endpoints.models import Datastore
from runs import engine
from runs.models import Artifact, Metric, MetricValue, Outcome, Run, StepAttempt
from runs.states import Status
from runs.steps import Stop
from runs.tracking import artifacts
from runs.tracking.author import Author
from studio.storage.store import studio_store
from tests.runs.shown import log_of

pytestmark = pytest.mark.django_db

FACTS = """
    import json, os
    from azureml.core import Run
    run = Run.get_context()
    for number in range(3):
        run.log("loss", number)
    open("up.txt", "w").write("up")
    run.upload_file("up.txt", "up.txt")
    os.makedirs("outputs", exist_ok=True)
    open("outputs/kept.txt", "w").write("kept")
    print("said")
"""


class Healer(logging.Handler):
    """Does something as soon as anything has to be tried again."""

    def __init__(self, heal):
        super().__init__()
        self.heal, self.records = heal, 0

    def emit(self, record):
        if "retrying after an outage" in record.msg:
            self.records += 1
            self.heal()


@pytest.fixture
def healed_by():
    logger, handlers = logging.getLogger("runs.engine.outages"), []

    def healed_by(heal) -> Healer:
        handlers.append(Healer(heal))
        logger.addHandler(handlers[-1])
        return handlers[-1]

    yield healed_by
    for handler in handlers:
        logger.removeHandler(handler)


def outcomes() -> list[str]:
    return list(StepAttempt.objects.order_by("number").values_list("outcome", flat=True))


def full(path) -> None:
    """Whatever is written there fails as it does on a full disk."""
    path.parent.mkdir(parents=True)
    path.symlink_to("/dev/full")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device")  # noqa: PTH110
class TestFullDisk:
    @pytest.mark.parametrize(
        "name",
        [
            "logs/azureml-logs/70_driver_log.txt/0001-000001-1",
            "artifacts.{author}/outputs/kept.txt",
        ],
    )
    def test_what_a_step_said_and_left_is_kept_when_there_is_room_again(
        self, studio, healed_by, name
    ):
        run = studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": FACTS}))
        uuid = studio.step(run).run.uuid
        name = name.format(author=f"{studio.step(run).pk}.1")
        blocked = studio.path / "storage" / "runs" / str(uuid) / name
        full(blocked)
        healer = healed_by(blocked.unlink)
        studio.work()
        assert healer.records == 1
        assert outcomes() == [Outcome.COMPLETED]
        assert log_of(uuid) == b"said\n"
        with studio_store().open(Artifact.objects.get(path="outputs/kept.txt").blob) as file:
            assert file.read() == b"kept"
        waited = Run.objects.get(uuid=uuid).status_changes.get(to_status=Status.FINALIZING)
        assert "No space left" in waited.reason

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.usefixtures("database_of_threads")
    def test_an_upload_waits_too_and_what_came_after_it(self, studio, healed_by):
        run = studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": FACTS}))
        uuid = studio.step(run).run.uuid
        author = Author(studio.step(run).pk, 1)
        blocked = studio.path / "storage" / artifacts.blob_of(uuid, "up.txt", author)
        full(blocked)
        healed_by(blocked.unlink)
        studio.work()
        assert outcomes() == [Outcome.COMPLETED]
        assert Artifact.objects.filter(path="up.txt").exists()
        assert blocked.read_text() == "up"
        assert MetricValue.objects.filter(metric__name="loss").count() == 3


class Unsteady(MemoryFileSystem):
    """Fails so many times, with an error of its own, before it stores anything."""

    protocol = "unsteady"
    store: dict = {}
    pseudo_dirs = [""]
    cachable = False
    failures = 0

    def _fail(self):
        if type(self).failures:
            type(self).failures -= 1
            raise RuntimeError("503: the service is busy")

    def pipe_file(self, *args, **kwargs):
        self._fail()
        return super().pipe_file(*args, **kwargs)

    def put_file(self, *args, **kwargs):
        self._fail()
        return super().put_file(*args, **kwargs)

    def _open(self, path, mode="rb", **kwargs):
        if "w" in mode:
            self._fail()
        return super()._open(path, mode, **kwargs)


@pytest.fixture
def unsteady(settings):
    register_implementation("unsteady", Unsteady, clobber=True)
    settings.STUDIO_STORAGE_URL = "unsteady://studio"
    yield Unsteady
    Unsteady.failures = 0
    Unsteady.store.clear()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("database_of_threads")
@pytest.mark.parametrize("failures", [1, 4])
def test_a_service_that_fails_some_times_is_tried_again(studio, unsteady, failures):
    script = (
        FACTS + "    import sys; os.makedirs(sys.argv[1]); open(sys.argv[1] + '/a', 'w').write('a')"
    )
    steps = {"one": {"outputs": {"made": {"destination": "mid"}}, "arguments": ["output:made"]}}
    pipeline = studio.publish(steps=steps, scripts={"one.py": script})
    run = studio.submit(pipeline)
    unsteady.failures = failures
    studio.work()
    assert (outcomes(), unsteady.failures) == ([Outcome.COMPLETED], 0)
    step = studio.step(run)
    assert log_of(step.run.uuid) == b"said\n"
    assert set(Artifact.objects.values_list("path", flat=True)) == {"up.txt", "outputs/kept.txt"}
    store = Datastore.objects.get(name=step.outputs["made"]["datastore"])
    place = data.resolve(store, step.outputs["made"]["path"])
    assert [entry.size for entry in place.files()] == [1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("database_of_threads")
def test_a_storage_that_fails_while_a_step_runs_does_not_harm_it(studio, unsteady):
    script = """
        import os, sys, time
        for number in range(2):
            print(number, flush=True)
            while not os.path.exists(sys.argv[1] + str(number)):
                time.sleep(0.01)
    """
    steps = {"one": {"arguments": [str(studio.path / "go")]}}
    run = studio.submit(studio.publish(steps=steps, scripts={"one.py": script}))
    unsteady.failures = 2

    def let_go():
        while unsteady.failures:
            pass
        for number in range(2):
            (studio.path / f"go{number}").touch()

    waiter = Thread(target=let_go)
    waiter.start()
    studio.work()
    waiter.join()
    assert outcomes() == [Outcome.COMPLETED]
    assert log_of(studio.step(run).run.uuid) == b"0\n1\n"


def test_a_file_that_can_never_be_kept_is_named_and_no_reason_to_wait(studio):
    script = FACTS + "    run.upload_file('outputs/kept.txt/below', 'up.txt')"
    step = studio.step(studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script})))
    assert outcomes() == [Outcome.COMPLETED]
    assert step.warnings == ["The file kept.txt was not kept: Is a directory."]
    assert Metric.objects.get().name == "loss"


class TestCancelWhileItsFilesAreKept:
    MANY = 3000

    def cancel_at_the_first(self, studio, pattern: str) -> Thread:
        def cancel():
            deadline = time.monotonic() + 60
            while not next((studio.path / "storage").glob(pattern), None):
                assert time.monotonic() < deadline, f"nothing is stored at {pattern}"
            studio.worker._stop_running(Stop.CANCELED)

        thread = Thread(target=cancel)
        thread.start()
        return thread

    def test_no_more_of_its_artifacts_are_kept(self, studio):
        script = f"""
            import os
            os.makedirs("outputs", exist_ok=True)
            for number in range({self.MANY}):
                open(f"outputs/{{number}}", "w").close()
        """
        thread = self.cancel_at_the_first(studio, "runs/*/artifacts.*/outputs/*")
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        thread.join()
        assert (run.status, outcomes()) == (Status.CANCELED, [Outcome.CANCELED])
        assert 0 < Artifact.objects.count() < self.MANY

    def test_no_more_of_its_outputs_are_stored(self, studio):
        script = f"""
            import os, sys
            os.makedirs(sys.argv[1])
            for number in range({self.MANY}):
                open(f"{{sys.argv[1]}}/{{number}}", "w").close()
        """
        steps = {"one": {"outputs": {"made": {"destination": "mid"}}, "arguments": ["output:made"]}}
        pipeline = studio.publish(steps=steps, scripts={"one.py": script})
        stored = "datastores/*/workspaceblobstore/**/[0-9]*"
        thread = self.cancel_at_the_first(studio, stored)
        run = studio.run(pipeline)
        thread.join()
        assert (run.status, outcomes()) == (Status.CANCELED, [Outcome.CANCELED])
        files = [path for path in (studio.path / "storage").glob(stored) if path.is_file()]
        assert 0 < len(files) < self.MANY


# --- the database ----------------------------------------------------------------------------------
LOCKER = """
import os, sqlite3, sys, time
path, ready, locked, release = sys.argv[1:]
while not os.path.exists(ready): time.sleep(0.01)
database = sqlite3.connect(path, isolation_level=None)
database.execute("PRAGMA busy_timeout = 30000")
database.execute("BEGIN IMMEDIATE")
open(locked, "w").close()
while not os.path.exists(release): time.sleep(0.01)
database.execute("ROLLBACK")
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("file_database")
class TestLockedDatabase:
    """Another process holds SQLite's lock for longer than one waits for it."""

    @pytest.fixture
    def locked(self, studio, monkeypatch, healed_by):
        """The script that waits until the lock is held, and then ends."""
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.05)
        connection.close()
        ready, held, release = (studio.path / name for name in ("ready", "held", "release"))
        path = connection.settings_dict["NAME"]
        program = [sys.executable, "-c", LOCKER, path, ready, held, release]
        with subprocess.Popen(program) as locker:
            yield (
                f"""
    open({str(ready)!r}, "w").close()
    import os, time
    while not os.path.exists({str(held)!r}):
        time.sleep(0.01)
""",
                healed_by(release.touch),
            )
            release.touch()
        assert locker.returncode == 0

    def test_what_a_step_left_is_kept_by_the_same_attempt(self, studio, locked):
        wait, healer = locked
        script = textwrap.dedent(FACTS) + textwrap.dedent(wait)
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        assert healer.records
        assert (run.status, outcomes()) == (Status.COMPLETED, [Outcome.COMPLETED])
        assert MetricValue.objects.count() == 3
        assert Artifact.objects.filter(path="outputs/kept.txt").exists()

    def test_an_end_waits_that_leaves_nothing_but_itself(self, studio, locked):
        wait, healer = locked
        script = textwrap.dedent(wait) + "raise SystemExit(3)"
        run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        assert healer.records
        assert (run.status, outcomes()) == (Status.FAILED, [Outcome.FAILED])

    def test_an_attempt_that_was_taken_meanwhile_ends_without_a_word(self, studio, locked):
        """As by `recover`, which has heard nothing of its worker."""
        wait, healer = locked
        script = textwrap.dedent(FACTS) + textwrap.dedent(wait)
        run = studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": script}))
        step, release = studio.step(run).run, healer.heal

        def take():
            release()
            claim = engine.Claim(step.pk, 1, run.pk, studio.worker.name)
            while not engine.finish(claim, Outcome.LOST):
                pass
            Run.objects.filter(pk=step.pk).update(target="elsewhere")

        def in_a_thread():
            thread = Thread(target=take)
            thread.start()
            thread.join()

        healer.heal = in_a_thread
        studio.work()
        step.refresh_from_db()
        assert step.status == Status.QUEUED
        assert not Artifact.objects.filter(path="outputs/kept.txt").exists()


def test_a_step_that_fails_for_the_studios_reasons_is_not_its_users_error(studio, settings):
    (studio.path / "file").touch()
    settings.STUDIO_ENVS_DIR = studio.path / "file" / "environments"
    run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": ""}))
    step = studio.step(run).run
    assert "Not a directory" in step.error
    assert (run.error_code, step.error_code) == ("ServiceError", "ServiceError")


def test_a_script_that_fails_is_its_users_error(studio):
    run = studio.run(studio.publish(steps={"one": {}}, scripts={"one.py": "1/0"}))
    assert (run.error_code, studio.step(run).run.error_code) == ("UserError", "UserError")

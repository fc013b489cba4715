"""Steps as a worker does them: real scripts in real processes."""

import os
import platform
import signal
import subprocess
import sys
from uuid import uuid4

import pytest
from django.urls import reverse

from runs import engine, services
from runs.engine import cleanup, worker_names
from runs.models import Outcome, Run, StepAttempt
from runs.models import Worker as WorkerRow
from runs.states import Status
from runs.steps import Stop
from runs.worker.process import Worker
from tests import factories

pytestmark = pytest.mark.django_db

SLEEP = "import time; print('sleeping', flush=True); time.sleep(3600)"


def submitted(studio) -> Run:
    return studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": ""}))


class TestUpkeep:
    @pytest.fixture
    def worker(self):
        worker = Worker(slots=2)
        yield worker
        worker.watchdog.close()

    def test_a_beat_is_written_and_a_forgotten_worker_comes_back(self, worker):
        worker._send_heartbeat()
        WorkerRow.objects.all().delete()
        worker._send_heartbeat()
        assert WorkerRow.objects.get().name == worker.name

    def test_one_that_stops_says_so_on_the_compute_page(self, worker, client, actor):
        client.force_login(actor.user)
        worker._send_heartbeat()
        page = reverse("endpoints:compute-list")
        assert "Stopping" not in client.get(page).content.decode()
        worker.stopping.set()
        worker._check()
        text = client.get(page).content.decode()
        assert worker.name in text
        assert "Stopping" in text
        assert "Online" not in text  # no target is served any more

    def test_new_compute_targets_are_served_at_the_next_beat(self, worker, workspace):
        told = []
        worker.on_queues = lambda *changed: told.append(changed)
        worker._written_at -= 6
        worker._check()
        assert told == [(["cpu-cluster"], [])]
        assert WorkerRow.objects.get().queues == ["cpu-cluster"]

    def test_a_queue_that_another_serves_by_name_is_left_to_it_while_it_lives(
        self, worker, workspace, studio
    ):
        told = []
        worker.on_queues = lambda *changed: told.append(changed)

        def look():
            worker._written_at -= 6
            worker._check()
            return worker.queues

        factories.ComputeTarget.objects.create(workspace=workspace, name="gpu")
        assert look() == ["cpu-cluster", "gpu"]
        Run.objects.filter(parent=submitted(studio)).update(target="gpu")
        named = WorkerRow.objects.create(
            name="named", role="worker", host="h", pid=1, queues=["gpu"], is_named=True
        )
        assert look() == ["cpu-cluster"] == WorkerRow.objects.get(name=worker.name).queues
        assert list(worker.process_queue("gpu")) == []
        assert studio.step(Run.objects.pipeline_runs().get()).run.status == Status.QUEUED
        WorkerRow.objects.filter(pk=named.pk).update(heartbeat_at="2020-01-01T00:00:00Z")
        assert look() == ["cpu-cluster", "gpu"]
        named.save()
        assert look() == ["cpu-cluster"]
        assert told[1:] == [([], ["gpu"]), (["gpu"], []), ([], ["gpu"])]

    def test_steps_of_a_target_that_was_removed_are_still_done(self, worker, studio):
        run = submitted(studio)
        Run.objects.filter(parent=run).update(target="removed")
        worker._written_at -= 6
        worker._check()
        assert "removed" in worker.queues
        list(worker.process_queue("removed"))
        run.refresh_from_db()
        assert run.status == Status.COMPLETED

    def test_held_steps_hear_of_cancel_and_of_other_attempts(self, studio):
        pipeline = studio.publish(steps={"one": {}}, scripts={"one.py": ""})
        worker = studio.worker
        for reason in (Stop.CANCELED, Stop.SUPERSEDED):
            run = studio.submit(pipeline)
            claim = engine.claim(worker.name, ["cpu-cluster"])
            with worker._stop_flag_for(claim) as flag:
                worker._check_running_steps()
                assert not flag
                if reason == Stop.CANCELED:
                    services.cancel(studio.actor, run)
                else:
                    engine.finish(claim, Outcome.LOST)
                worker._check_running_steps()
                assert flag.reason == reason
            Run.objects.filter(pk=claim.step_id).live().update(target="elsewhere")

    def test_a_run_out_of_time_is_ended(self, studio):
        pipeline = studio.publish(steps={"one": {}}, scripts={"one.py": ""})
        run = studio.submit(pipeline, timeout_seconds=5)
        claim = engine.claim(studio.worker.name, ["cpu-cluster"])
        long_ago = run.created_at.replace(year=2020)
        Run.objects.filter(pk=run.pk).update(started_at=long_ago)
        with studio.worker._stop_flag_for(claim) as flag:
            studio.worker._check_running_steps()
            studio.worker._check_running_steps()
            assert flag.reason == Stop.CANCELED
        engine.finish(claim, Outcome.CANCELED)
        engine.advance(run.pk)
        run.refresh_from_db()
        assert (run.status, run.error_code) == (Status.FAILED, "TimedOut")

    def test_a_worker_that_was_silent_interrupts_its_steps(self, studio):
        studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": ""}))
        claim = engine.claim(studio.worker.name, ["cpu-cluster"])
        with studio.worker._stop_flag_for(claim) as flag:
            studio.worker._written_at -= 21
            studio.worker._ping_watchdog()
            assert flag.reason == Stop.INTERRUPTED

    def test_an_attempt_no_slot_knows_of_is_given_back(self, studio):
        studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": ""}))
        engine.claim(studio.worker.name, ["cpu-cluster"])
        studio.worker._end_orphans()
        assert StepAttempt.objects.get().outcome == ""
        StepAttempt.objects.update(started_at="2020-01-01T00:00:00Z")
        studio.worker._end_orphans()
        assert StepAttempt.objects.get().outcome == Outcome.INTERRUPTED


class TestNames:
    def test_of_this_machine_they_tell_whether_the_process_is_there(self):
        ours = worker_names.name_of_this_process()
        host, pid, token = ours.rsplit(":", 2)
        assert worker_names.is_there(ours) is True
        assert (
            worker_names.is_there(f"{host}:{pid}:1{token}") is False
        )  # its number went to another
        assert worker_names.is_there(f"{host}:4194305:{token}") is False
        assert worker_names.is_there(f"elsewhere:{pid}:{token}") is None

    def test_a_process_that_ended_is_not_there_though_nobody_has_waited_for_it(self):
        """As a worker that is killed, for as long as whoever started it does not ask how it ended."""
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            started = worker_names._start_of(str(process.pid))
            name = f"{platform.node()}:{process.pid}:{started}-1f"
            assert worker_names.is_there(name) is True
            process.kill()
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            assert worker_names.is_there(name) is False


class TestWhatIsLeft:
    @pytest.fixture
    def body(self, tmp_path):
        """Start a process that works in the folder of an attempt, or is marked as its."""
        started = []

        def body(name: str, *, is_marked: bool = False) -> subprocess.Popen:
            folder = tmp_path / f"data{len(started)}" / "work" / name
            (folder / "code").mkdir(parents=True)
            place = {"cwd": "/", "env": {"STUDIO_FACTS_DIR": f"{folder}/facts"}}
            place = place if is_marked else {"cwd": folder / "code", "env": {}}
            # What writes its first word has been replaced by its program, and is marked by then.
            program = [sys.executable, "-c", "print(1, flush=True); import time; time.sleep(99)"]
            started.append(subprocess.Popen(program, stdout=subprocess.PIPE, **place))
            started[-1].stdout.readline()
            return started[-1]

        yield body
        for process in started:
            process.kill()
            process.communicate()

    def test_before_an_attempt_what_earlier_ones_do_in_any_data_folder_is_ended(self, body):
        step, other = uuid4(), uuid4()
        earlier = [body(f"{step}.1"), body(f"{step}.2", is_marked=True)]
        others = [body(f"{step}.3"), body(f"{other}.1", is_marked=True), body(f"{step}.22")]
        cleanup.end_earlier(step, 3)
        assert [process.wait(0) for process in earlier] == [-signal.SIGKILL] * 2
        assert [process.poll() for process in others] == [None] * 3

    def test_the_next_attempt_ends_what_the_one_before_it_left(self, studio, body):
        run = studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": ""}))
        claim = engine.claim("elsewhere:1:2", ["cpu-cluster"])
        left = body(cleanup.name_of(studio.step(run).run.uuid, claim.attempt))
        engine.finish(claim, Outcome.LOST)
        studio.work()
        assert left.wait(0) == -signal.SIGKILL
        assert StepAttempt.objects.last().outcome == Outcome.COMPLETED

    def test_of_workers_of_this_machine_only_those_that_died_leave_something(self, studio):
        work, host = studio.path / "work", platform.node()
        workers = {f"{host}:4194305:1": False, studio.worker.name: True, "elsewhere:1:1": True}
        expected = set()
        for worker, is_kept in workers.items():
            run = studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": ""}))
            claim = engine.claim(worker, ["cpu-cluster"])
            name = cleanup.name_of(studio.step(run).run.uuid, claim.attempt)
            (work / name).mkdir(parents=True)
            expected |= {name} if is_kept else set()
        cleanup.sweep(work)
        cleanup.CLEANER.clean_up()
        assert {folder.name for folder in work.iterdir()} == expected

    def test_folders_of_attempts_that_ended_are_swept(self, studio):
        run = studio.submit(studio.publish(steps={"one": {}}, scripts={"one.py": ""}))
        claim = engine.claim(studio.worker.name, ["cpu-cluster"])
        step = studio.step(run).run.uuid
        work = studio.path / "work"
        for attempt in (claim.attempt, claim.attempt + 1):
            (work / cleanup.name_of(step, attempt) / "code").mkdir(parents=True)
        cleanup.sweep(work)
        cleanup.CLEANER.clean_up()
        assert [folder.name for folder in work.iterdir()] == [cleanup.name_of(step, claim.attempt)]

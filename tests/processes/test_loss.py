"""Nothing accepted is lost: real processes are stopped, killed and emptied in the middle of work."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
import redis

from tests.studio import LiveStudio
from tests.waiting import wait_for

PIPELINES = Path(__file__).resolve().parents[1] / "pipelines"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """One for all tests, each of which leaves it as a studio of some days is: harmed and recovered."""
    with LiveStudio(
        tmp_path_factory.mktemp("loss"), workers=1, samples=False, silence=10.0
    ) as live:
        for name in ("noop", "chain", "holder"):
            live.manage("publish", str(PIPELINES / name), "--endpoint", name)
        yield live


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "signals"
    place.mkdir()
    return place


def child_of(live: LiveStudio, *names: str) -> int:
    """The pid of the studio's process of this name."""
    return next(pid for pid, name in live.tree() if name in names)


def broker(live: LiveStudio) -> redis.Redis:
    url = (live.data / "redis" / "url").read_text().strip()
    return redis.Redis.from_url(url.replace("redis+socket://", "unix://"))


def test_a_restart_in_the_middle_of_a_run_goes_on_and_finishes_it(studio, folder):
    run = studio.trigger("chain", ParameterAssignments={"folder": str(folder)})
    (folder / "first.go").touch()
    wait_for((folder / "second.began").exists, what="the second step")
    studio.stop()
    studio.start()
    (folder / "second.go").touch()
    (folder / "third.go").touch()
    assert studio.wait(run)["Status"]["StatusCode"] == "Finished"
    assert len((folder / "first.ended").read_text().split()) == 1
    assert len((folder / "second.began").read_text().split()) == 2


def test_emptying_redis_loses_no_waiting_run(studio, folder):
    holder = studio.trigger("holder", ParameterAssignments={"folder": str(folder)})
    wait_for((folder / "hold.began").exists, what="the holding step")
    runs = [studio.trigger("noop") for _ in range(20)]
    broker(studio).flushall()
    (folder / "hold.go").touch()
    for run in [holder, *runs]:
        assert studio.wait(run)["Status"]["StatusCode"] == "Finished"


def test_a_trigger_without_redis_is_accepted_and_runs_later(studio):
    server = child_of(studio, "redis-server", "valkey-server")
    os.kill(server, signal.SIGSTOP)
    try:
        started = time.monotonic()
        run = studio.trigger("noop")
        assert time.monotonic() - started < 5
    finally:
        os.kill(server, signal.SIGKILL)  # `up` starts another
    assert studio.wait(run)["Status"]["StatusCode"] == "Finished"


def test_killing_the_worker_mid_step_makes_exactly_one_further_attempt(studio, folder):
    run = studio.trigger("holder", ParameterAssignments={"folder": str(folder)})
    began = folder / "hold.began"
    wait_for(began.exists, what="the step")
    wait_for(lambda: began.read_text().strip(), what="the step's pid")
    first = int(began.read_text().split()[0])
    os.kill(child_of(studio, "studio-worker"), signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{first}").exists(), seconds=25, what="the end of the orphan")
    wait_for(lambda: len(began.read_text().split()) == 2, seconds=75, what="the second attempt")
    (folder / "hold.go").touch()
    assert studio.wait(run)["Status"]["StatusCode"] == "Finished"
    assert len(began.read_text().split()) == 2


def test_endless_steps_in_every_slot_block_neither_cancel_nor_another_queue(studio, folder):
    run = studio.trigger("holder", ParameterAssignments={"folder": str(folder)})
    wait_for((folder / "hold.began").exists, what="the endless step")
    waiting = studio.trigger("noop")
    status, reply = studio.call("DELETE", f"{studio.pipelines}/PipelineRuns/{run}/Execution")
    assert status == 200, reply
    assert studio.wait(run)["Status"]["StatusCode"] == "Canceled"
    assert studio.wait(waiting)["Status"]["StatusCode"] == "Finished"


def test_eight_callers_at_once_see_no_server_error(studio):
    statuses, stop = [], time.monotonic() + 10

    def call():
        while time.monotonic() < stop:
            body = {"ExperimentName": "eight"}
            statuses.append(studio.call("POST", "/endpoints/noop/submit", body)[0])

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert set(statuses) == {200}

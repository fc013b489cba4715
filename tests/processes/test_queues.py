"""Compute targets are queues: `up` serves them all, but for those that a worker serves by name."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.studio import LiveStudio
from tests.waiting import wait_for

PIPELINES = Path(__file__).resolve().parents[1] / "pipelines"
TARGET = {
    "location": "selfhosted",
    "properties": {"computeType": "AmlCompute", "properties": {"vmSize": "STANDARD_D2_V2"}},
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("queues")
    with LiveStudio(folder, workers=1, samples=False) as live:
        for name in ("noop", "holder"):
            live.manage("publish", str(PIPELINES / name), "--endpoint", name)
        yield live


def make_target(live: LiveStudio, name: str) -> None:
    status, reply = live.call("PUT", f"{live.scope}/computes/{name}", TARGET)
    assert status == 200, reply


def publish_for(live: LiveStudio, folder: Path, pipeline: str, target: str, endpoint: str) -> None:
    shutil.copytree(PIPELINES / pipeline, folder / endpoint)
    file = folder / endpoint / "pipeline.yml"
    lines = file.read_text().splitlines()
    file.write_text(
        "\n".join(
            f"  default_compute: {target}" if "default_compute" in line else line for line in lines
        )
    )
    live.manage("publish", str(folder / endpoint), "--endpoint", endpoint)


def queues(live: LiveStudio) -> dict[bool, list[str]]:
    """What the workers that are started by name serve, and what the others do."""
    with closing(sqlite3.connect(live.data / "db.sqlite3", timeout=20)) as database:
        rows = database.execute("SELECT is_named, queues FROM runs_worker WHERE role = 'worker'")
        return {bool(named): json.loads(names) for named, names in rows}


def test_a_target_made_while_the_studio_runs_is_served(studio, tmp_path):
    """As scripts do: make a target, publish for it, submit at once."""
    make_target(studio, "train-cluster")
    publish_for(studio, tmp_path, "noop", "train-cluster", "train")
    run = studio.trigger("train")
    assert studio.wait(run)["Status"]["StatusCode"] == "Finished"


def test_a_worker_keeps_the_steps_of_the_queue_it_serves_by_name(studio, tmp_path):
    make_target(studio, "gpu")
    publish_for(studio, tmp_path, "noop", "gpu", "gpu-noop")
    publish_for(studio, tmp_path, "holder", "gpu", "gpu-holder")
    wait_for(lambda: "gpu" in queues(studio)[False], what="serving the new target")
    with studio.process_of("worker", "--queues", "gpu", "--slots", "1"):
        wait_for(lambda: queues(studio).get(True) == ["gpu"], what="the worker of the queue")
        wait_for(lambda: "gpu" not in queues(studio)[False], what="leaving the queue to it")
        holder = studio.trigger("gpu-holder", ParameterAssignments={"folder": str(tmp_path)})
        wait_for((tmp_path / "hold.began").exists, what="the step in its only slot")
        waiting = studio.trigger("gpu-noop")
        elsewhere = studio.trigger("noop")
        assert studio.wait(elsewhere)["Status"]["StatusCode"] == "Finished"
        run = studio.get(f"{studio.pipelines}/PipelineRuns/{waiting}")[1]
        assert run["Status"]["StatusCode"] == "NotStarted"
        (tmp_path / "hold.go").touch()
        for run in (holder, waiting):
            assert studio.wait(run)["Status"]["StatusCode"] == "Finished"
    wait_for(lambda: "gpu" in queues(studio)[False], what="taking the queue over")
    assert studio.wait(studio.trigger("gpu-noop"))["Status"]["StatusCode"] == "Finished"

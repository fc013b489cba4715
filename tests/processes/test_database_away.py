"""A database server that is away for a while repeats nothing that was done."""

import time

import pytest

from tests.conftest import missing
from tests.postgresql import PostgreSQL, find_binaries
from tests.processes.test_killed_together import Body
from tests.processes.test_several_machines import Machines
from tests.waiting import wait_for

SCRIPT = """
import os, pathlib, sys, time
from azureml.core import Run
folder = pathlib.Path(sys.argv[1])
with (folder / "hold.began").open("a") as began:
    began.write(f"{os.getpid()}\\n")
while not (folder / "hold.go").exists():
    time.sleep(0.02)
run = Run.get_context()
for number in range(200):
    run.log("loss", number)
    pathlib.Path("outputs", f"{number}.txt").write_text(str(number))
(folder / "hold.ended").touch()
"""
PIPELINE = """
pipeline:
  name: holder
  parameters:
    folder: {type: string, default: ""}
  default_compute: cpu-cluster
  steps:
    hold:
      type: PythonScriptStep
      name: hold
      script_name: hold.py
      allow_reuse: false
      arguments: ["parameter:folder"]
"""
KEPT = """
from runs.models import Artifact, MetricValue, StepAttempt
print(list(StepAttempt.objects.order_by("pk").values_list("outcome", flat=True)),
      MetricValue.objects.count(), Artifact.objects.filter(path__startswith="outputs/").count())
"""
SILENCE = 15.0


@pytest.fixture
def server():
    with PostgreSQL(find_binaries() or missing("PostgreSQL's server")) as server:
        yield server


@pytest.fixture
def machines(tmp_path, server):
    source = tmp_path / "source"
    source.mkdir()
    (source / "hold.py").write_text(SCRIPT)
    (source / "pipeline.yml").write_text(PIPELINE)
    with Machines(tmp_path, server.url, silence=SILENCE) as machines:
        machines.manage("publish", str(source), "--endpoint", "holder")
        yield machines


def test_a_step_that_ended_without_it_is_kept_when_it_is_back(machines, server, tmp_path):
    """Away for longer, even, than a worker may be silent."""
    body = Body(machines, tmp_path / "one")
    body.first()
    server.stop()
    try:
        body.go.touch()
        wait_for((tmp_path / "one" / "hold.ended").exists, seconds=SILENCE / 2, what="the end")
        time.sleep(SILENCE)
    finally:
        server.start()
    assert machines.wait(body.run, seconds=120)["Status"]["StatusCode"] == "Finished"
    assert machines.manage("shell", "-v", "0", "-c", KEPT).split("\n")[0] == "['Completed'] 200 200"
    assert len(body.pids()) == 1

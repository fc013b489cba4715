"""A step does not respond while its worker is paused, and goes on when the worker does."""

import json
import os
import signal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.processes.test_loss import child_of
from tests.processes.test_pauses import stop_between_writes
from tests.studio import LiveStudio
from tests.waiting import wait_for

PIPELINES = Path(__file__).resolve().parents[1] / "pipelines"
# A worker is silent after 8 s and lost after 12 s. `recover` looks every 4 s: once between the two, and
# after that there are 4 s in which the worker may be heard.
SILENCE = 12.0
FILES = 3000
STEP = """
import json
from runs.models import StatusChange, StepAttempt
changes = StatusChange.objects.filter(run__parent__uuid="{run}", run__name="{name}").order_by("pk")
attempts = StepAttempt.objects.filter(step__run__parent__uuid="{run}", step__run__name="{name}")
outcomes = attempts.order_by("number").values_list("outcome", flat=True)
print(json.dumps([list(changes.values_list("from_status", "to_status")), list(outcomes)]))
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("silence")
    with LiveStudio(folder, workers=1, samples=False, silence=SILENCE) as live:
        for name in ("holder", "leaver"):
            live.manage("publish", str(PIPELINES / name), "--endpoint", name)
        yield live


def running_step(studio: LiveStudio, run: str) -> str:
    """The address of the step that the worker runs, in run history."""
    _, nodes = studio.call(
        "POST", f"{studio.pipelines}/PipelineRuns/{run}/Graph/AllNodes/Status", []
    )
    [step] = [node["RunId"] for node in nodes.values() if node["StatusCode"] == "Running"]
    return f"/history/v1.0{studio.scope}/runs/{step}"


def until_it_does_not_respond(studio: LiveStudio, run: str, step: str) -> None:
    wait_for(
        lambda: studio.get(step)[1]["status"] == "NotResponding",
        seconds=SILENCE * 1.5,
        what="the status",
    )
    _, whole = studio.get(f"{studio.pipelines}/PipelineRuns/{run}")
    assert whole["Status"]["StatusCode"] == "Running"


def past(studio: LiveStudio, run: str, name: str) -> tuple[list[str], list[str]]:
    """The statuses that a step has had since a worker claimed it, and the outcomes of its attempts."""
    printed = studio.manage("shell", "-v", "0", "-c", STEP.format(run=run, name=name))
    changes, outcomes = json.loads(printed)
    assert all(old == new for (_, old), (new, _) in pairwise(changes))
    statuses = [status for _, status in changes]
    return statuses[statuses.index("Preparing") :], outcomes


def test_a_step_whose_process_was_ended_meanwhile_is_done_again(studio, tmp_path):
    run = studio.trigger("holder", ParameterAssignments={"folder": str(tmp_path)})
    began = tmp_path / "hold.began"
    wait_for(lambda: began.exists() and began.read_text(), what="the step")
    worker = child_of(studio, "studio-worker")
    step = running_step(studio, run)
    stop_between_writes(studio, [worker])
    try:
        until_it_does_not_respond(studio, run, step)
    finally:
        os.kill(worker, signal.SIGCONT)
    wait_for(lambda: len(began.read_text().split()) == 2, what="the second attempt")
    (tmp_path / "hold.go").touch()
    assert studio.wait(run)["Status"]["StatusCode"] == "Finished"
    statuses, outcomes = past(studio, run, "hold")
    again = statuses.index("Queued")
    assert statuses[:again] in (
        ["Preparing", "Running", "NotResponding"],
        ["Preparing", "Running", "NotResponding", "Running"],  # `recover` has heard the worker
    )
    assert statuses[again:] == ["Queued", "Preparing", "Running", "Completed"]
    assert outcomes == ["Interrupted", "Completed"]


def test_a_step_whose_results_are_being_stored_completes(studio, tmp_path):
    signals = {"folder": str(tmp_path), "files": FILES}
    run = studio.trigger("leaver", ParameterAssignments=signals)
    wait_for((tmp_path / "leave.began").exists, what="the step")
    worker, step = child_of(studio, "studio-worker"), running_step(studio, run)
    (tmp_path / "leave.go").touch()
    wait_for(lambda: count(studio) >= 200, what="the files")
    stop_between_writes(studio, [worker])
    try:
        assert count(studio) < 2 * FILES, "it had stored everything when it was stopped"
        until_it_does_not_respond(studio, run, step)
    finally:
        os.kill(worker, signal.SIGCONT)
    (tmp_path / "read.go").touch()
    assert studio.wait(run)["Status"]["StatusCode"] == "Finished"
    statuses, outcomes = past(studio, run, "leave")
    assert statuses[:3] == ["Preparing", "Running", "NotResponding"]
    assert set(statuses[3:-1]) <= {"Running", "Finalizing"}  # `recover` has heard the worker
    assert statuses[-1] == "Completed"
    assert outcomes == ["Completed"]


def count(studio: LiveStudio) -> int:
    """How many files of the steps' outputs are stored."""
    stores = studio.data / "storage" / "datastores"
    return sum(name.endswith(".txt") for _, _, names in os.walk(stores) for name in names)

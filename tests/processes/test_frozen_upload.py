"""A worker that is frozen while it stores outputs, and thaws when its successor has done the step."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.test_several_machines import Machines
from tests.waiting import wait_for

LEAVER = Path(__file__).resolve().parents[1] / "pipelines" / "leaver"
SILENCE = 3.0
FILES = 3000
# How many files the first attempt has stored when it is frozen: in its first output, which has a place
# of its own, and in the second, whose destination is the same for all.
FROZEN_AT = {"kept": 200, "sent": FILES + 200}
STEP = """
import json
from runs.models import MetricValue, StepRun
step = StepRun.objects.get(run__parent__uuid="{run}", run__name="leave")
values = MetricValue.objects.filter(metric__name="left", metric__run__root=step.run.root)
values = values.values_list("metric__run__kind", "data")
print(json.dumps([str(step.run.uuid), step.outputs, list(values)]))
"""


@pytest.fixture
def machines(tmp_path, postgresql_url):
    with Machines(tmp_path, postgresql_url, silence=SILENCE) as machines:
        machines.manage("publish", str(LEAVER), "--endpoint", "leaver")
        yield machines


def stored(top: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(top):
        yield from (Path(folder, name) for name in names if name.endswith(".txt"))


def step_of(machines: Machines, run: str) -> tuple[str, dict, list]:
    return json.loads(machines.manage("shell", "-v", "0", "-c", STEP.format(run=run)))


@pytest.mark.parametrize("frozen_in", FROZEN_AT)
def test_nothing_of_it_reaches_what_its_successor_left(machines, tmp_path, frozen_in):
    signals = tmp_path / "signals"
    signals.mkdir()
    stores = tmp_path / "shared" / "datastores"
    run = machines.trigger("leaver", ParameterAssignments={"folder": str(signals), "files": FILES})
    wait_for((signals / "leave.began").exists, what="the first attempt")
    worker = pid_of_worker(machines, run)
    (signals / "leave.go").touch()
    wait_for(lambda: count(stores) >= FROZEN_AT[frozen_in], what="the files")
    os.kill(worker, signal.SIGSTOP)
    try:
        assert count(stores) < 2 * FILES, "it had stored everything when it was stopped"
        wait_for((signals / "read.began").exists, what="the step behind the second attempt")
    finally:
        os.kill(worker, signal.SIGCONT)
    step, outputs, _ = step_of(machines, run)
    works = [tmp_path / machine / "work" / f"{step}.1" for machine in ("data", "b")]
    wait_for(lambda: not any(map(Path.exists, works)), what="the end of the thawed attempt")
    (signals / "read.go").touch()
    assert machines.wait(run)["Status"]["StatusCode"] == "Finished"

    left = sorted(f"2-{number}.txt" for number in range(FILES))
    assert json.loads((signals / "read.json").read_text()) == [left, left]
    assert outputs["sent"]["path"] == "chosen/here"
    [store] = stores.glob("*/workspaceblobstore")
    for place in outputs.values():
        assert sorted(file.name for file in (store / place["path"]).iterdir()) == left
    assert {file.read_text() for file in stored(store / "chosen")} == {"2\n"}
    _, _, values = step_of(machines, run)
    assert sorted(values) == [["Pipeline", {"left": 2}], ["Step", {"left": 2}]]
    [attempts] = [rows for name, _, _, rows in machines.steps()[run] if name == "leave"]
    [(first, _), (second, outcome)] = attempts
    assert first != second
    assert outcome == "Completed"


def count(top: Path) -> int:
    return sum(1 for _ in stored(top))


def pid_of_worker(machines: Machines, run: str) -> int:
    """Of the one that does the run's first step."""
    [[worker, _]] = next(rows for name, *_, rows in machines.steps()[run] if name == "leave")
    pid = int(worker.split(":")[1])
    assert pid in {machines.processes[name].pid for name in ("worker-a", "worker-b")}
    return pid

"""A pause is no death: whatever is stopped for a while and goes on loses nothing and cancels nothing."""

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.studio import LiveStudio
from tests.waiting import wait_for

HOLDER = Path(__file__).resolve().parents[1] / "pipelines" / "holder"
SILENCE = 3.0
STEPS = 4


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pauses")
    with LiveStudio(folder, workers=STEPS, samples=False, silence=SILENCE) as live:
        live.manage("publish", str(HOLDER), "--endpoint", "holder")
        yield live


class Held:
    """Four runs, each of one step that waits for a file of its own folder."""

    def __init__(self, studio: LiveStudio, top: Path):
        self.studio = studio
        self.folders = [top / str(number) for number in range(STEPS)]
        self.runs = []
        for folder in self.folders:
            folder.mkdir()
            assignments = {"folder": str(folder)}
            self.runs.append(studio.trigger("holder", ParameterAssignments=assignments))

    def begun(self, times: int) -> bool:
        """Whether every step has been started so often."""
        begun = [folder / "hold.began" for folder in self.folders]
        return all(file.exists() and len(file.read_text().split()) >= times for file in begun)

    def finish(self) -> None:
        for folder in self.folders:
            (folder / "hold.go").touch()
        ends = [self.studio.wait(run)["Status"]["StatusCode"] for run in self.runs]
        assert ends == ["Finished"] * STEPS

    def attempts(self) -> set[tuple[str, ...]]:
        """The outcomes of each step's attempts."""
        found = self.studio.manage("shell", "-v", "0", "-c", ATTEMPTS.format(runs=self.runs))
        return {tuple(line.split()) for line in found.splitlines()}


ATTEMPTS = """
from runs.models import StepAttempt
for run in {runs}:
    of_run = StepAttempt.objects.filter(step__run__parent__uuid=run).order_by("number")
    print(*of_run.values_list("outcome", flat=True))
"""


def stopped(
    studio: LiveStudio, pids: list[int], *, until_true=lambda: False, seconds: float
) -> None:
    """Stop processes, in the order given, until something is true or so long."""
    stop_between_writes(studio, pids)
    try:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not until_true():
            time.sleep(0.05)
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)


def stop_between_writes(studio: LiveStudio, pids: list[int]) -> None:
    """Stop the processes, but none in the middle of a write, which would lock SQLite for all others: such
    a process is continued for a moment and stopped again."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        if can_write(studio):
            return
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError("they were always in the middle of a write")


def can_write(studio: LiveStudio) -> bool:
    """Whether the database's lock is free, or soon is: those that go on do not hold it for long."""
    with closing(sqlite3.connect(studio.data / "db.sqlite3", timeout=2)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        database.rollback()
        return True


def is_queued_again(studio: LiveStudio, runs: list[str]) -> bool:
    """Whether `recover` has taken the steps from their worker."""
    for run in runs:
        path = f"{studio.pipelines}/PipelineRuns/{run}/Graph/AllNodes/Status"
        status, nodes = studio.call("POST", path)
        assert status == 200, nodes
        if "Queued" not in str(nodes):
            return False
    return True


def test_a_worker_that_is_paused_twice_completes_its_steps(studio, tmp_path):
    held = Held(studio, tmp_path)
    wait_for(lambda: held.begun(1), what="the steps")
    [worker] = [pid for pid, name in studio.tree() if name == "studio-worker"]
    for pause in (1, 2):
        queued_again = []

        def taken(queued_again=queued_again):
            queued_again.append(is_queued_again(studio, held.runs))
            return queued_again[-1]

        stopped(studio, [worker], until_true=taken, seconds=60)
        assert queued_again[-1]
        wait_for(lambda pause=pause: held.begun(pause + 1), what="the next attempts")
    held.finish()
    assert_only_interrupted(held)


def assert_only_interrupted(held):
    """Twice by our pauses; on a loaded machine the short silence of these tests may pass once more."""
    for *earlier, last in held.attempts():
        assert last == "Completed"
        assert len(earlier) >= 2
        assert set(earlier) == {"Interrupted"}


def test_a_pause_of_everything_uses_up_no_retry(studio, tmp_path):
    held = Held(studio, tmp_path)
    wait_for(lambda: held.begun(1), what="the steps")
    for pause in (1, 2):
        stopped(studio, [pid for pid, _ in studio.tree()], seconds=SILENCE * 1.5)
        # Its watchdog has ended what could have gone on beside a further attempt.
        wait_for(lambda pause=pause: held.begun(pause + 1), what="the next attempts")
    held.finish()
    assert_only_interrupted(held)

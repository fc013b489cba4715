"""Whatever of a worker's processes is killed at once: no step goes on beside its next attempt."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.processes.test_loss import child_of
from tests.processes.test_several_machines import Machines
from tests.runs.processes import is_running
from tests.studio import LiveStudio
from tests.waiting import wait_for

HOLDER = Path(__file__).resolve().parents[1] / "pipelines" / "holder"
SILENCE = 6.0


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    with LiveStudio(folder, workers=2, samples=False, silence=SILENCE) as live:
        live.manage("publish", str(HOLDER), "--endpoint", "holder")
        yield live


class Body:
    """A step that waits for a file, by the processes of its attempts."""

    def __init__(self, studio: LiveStudio, folder: Path):
        folder.mkdir()
        self.studio, self.began, self.go = studio, folder / "hold.began", folder / "hold.go"
        self.run = studio.trigger("holder", ParameterAssignments={"folder": str(folder)})

    def pids(self) -> list[int]:
        return [int(pid) for pid in self.began.read_text().split()] if self.began.exists() else []

    def first(self) -> int:
        wait_for(self.pids, what="the step")
        return self.pids()[0]

    def finish(self, *, attempts: int) -> None:
        wait_for(lambda: len(self.pids()) == attempts, what="the last attempt")
        self.go.touch()
        assert self.studio.wait(self.run)["Status"]["StatusCode"] == "Finished"
        assert len(self.pids()) == attempts


def processes() -> list[tuple[int, int, str]]:
    """Of all processes: the pid, the parent's and the command line."""
    command = ["ps", "-ww", "-eo", "pid,ppid,args"]  # else cut off after 80 columns
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listing.splitlines()[1:]]
    return [(int(pid), int(parent), args) for pid, parent, args in rows]


def beside(worker: int, script: str) -> list[int]:
    """The children of a worker that run a script of this name."""
    return [pid for pid, parent, args in processes() if parent == worker and script in args]


def parent_of(pid: int) -> int:
    return next(parent for one, parent, _ in processes() if one == pid)


def kill_at_once(*pids: int) -> None:
    """None of them sees another one end: all have stopped before the first is killed. On a loaded
    machine a thread goes on for a while after the signal was sent."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: all(map(is_stopped, pids)), what="the stop of all")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def is_stopped(pid: int) -> bool:
    """Whether each thread of a process has stopped."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(one.read_text().rpartition(")")[2].split()[0] == "T" for one in threads)


def kill_all_but_steps(worker: int, bodies: list[Body]) -> None:
    """Kill a worker and whatever would end its steps."""
    parents = [parent_of(body.first()) for body in bodies]
    kill_at_once(*beside(worker, "forkserver.py"), *beside(worker, "watchdog.py"), worker, *parents)
    assert all(is_running(body.first()) for body in bodies)


def worker_of(body: Body) -> int:
    """Above a step are its parent, a fork server and its worker."""
    return parent_of(parent_of(parent_of(body.first())))


def test_a_step_ends_with_its_worker_though_the_guard_was_killed_too(studio, tmp_path):
    body = Body(studio, tmp_path / "one")
    first, worker = body.first(), child_of(studio, "studio-worker")
    kill_at_once(*beside(worker, "watchdog.py"), worker)
    wait_for(lambda: not is_running(first), seconds=SILENCE, what="the end of the orphan")
    assert len(body.pids()) == 1
    body.finish(attempts=2)


def test_a_restarted_worker_ends_what_the_one_before_it_left_and_nothing_of_a_neighbour(
    studio, tmp_path
):
    with studio.process_of("worker", "--slots", "1", "--silence", str(SILENCE)) as neighbour:
        bodies = [Body(studio, tmp_path / name) for name in ("one", "two", "three")]
        [theirs] = [body for body in bodies if worker_of(body) == neighbour.pid]
        ours = [body for body in bodies if body is not theirs]
        kill_all_but_steps(child_of(studio, "studio-worker"), ours)
        for body in ours:
            wait_for(lambda body=body: not is_running(body.first()), what="the end of the orphan")
            assert len(body.pids()) == 1
        for body in ours:
            body.finish(attempts=2)
        assert is_running(theirs.first())
        theirs.finish(attempts=1)


def test_a_further_attempt_ends_what_the_one_before_it_left_in_another_data_folder(
    tmp_path, postgresql_url
):
    with Machines(tmp_path, postgresql_url, silence=SILENCE) as machines:
        machines.manage("publish", str(HOLDER), "--endpoint", "holder")
        bodies = [Body(machines, tmp_path / str(number)) for number in range(4)]
        killed = machines.processes["worker-a"]
        theirs = [body for body in bodies if worker_of(body) != killed.pid]
        lost = [body for body in bodies if body not in theirs]
        kill_all_but_steps(killed.pid, lost)
        killed.wait()
        for body in theirs:
            assert is_running(body.first())
            body.finish(attempts=1)
        for body in lost:
            wait_for(lambda body=body: len(body.pids()) == 2, what="the second attempt")
            assert not is_running(body.first())
        for body in lost:
            body.finish(attempts=2)

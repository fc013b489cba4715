"""The processes apart, as README starts them: PostgreSQL, a Redis outside, two machines with a worker
each, and nothing in common but these and the storage folder."""

import json
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_urlsafe

import pytest

from studio.supervisor import broker
from tests.studio import ROOT, LiveStudio, free_port, outside_environment
from tests.waiting import wait_for

PIPELINES = Path(__file__).resolve().parents[1] / "pipelines"
RUNS, CALLERS = 12, 4
ATTEMPTS = """
import json
from runs.models import StepAttempt, StepRun
rows = StepRun.objects.values_list("run__parent__uuid", "run__name", "run__status", "reused_from")
print(json.dumps([[str(run), name, status, reused is not None, list(
    StepAttempt.objects.filter(step__run__parent__uuid=run, step__run__name=name)
    .order_by("number").values_list("worker", "outcome"))] for run, name, status, reused in rows]))
"""


class Machines(LiveStudio):
    """Machine `a` runs web, control and a worker, machine `b` a worker."""

    def __init__(self, folder: Path, database: str, *, silence: float | None = None):
        super().__init__(folder, silence=silence)
        self.folder, self.redis_port = folder, free_port()
        self.processes: dict[str, subprocess.Popen] = {}
        self.env = {
            "STUDIO_DATABASE_URL": database,
            "STUDIO_REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "STUDIO_STORAGE_URL": f"file://{folder}/shared",
            "STUDIO_SECRET_KEY": token_urlsafe(50),
            "STUDIO_PUBLIC_URL": self.http,
        }

    def start(self, *, wait_seconds: float = 60):
        options = {"port": self.redis_port, "bind": "127.0.0.1", "save": "", "dir": self.folder}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self.begin("redis", [broker.find_server(), *words])
        wait_for(self.is_redis_there, seconds=10, what="the start of Redis")
        self.manage("prepare")
        self.begin_command("web", "a", "web")
        silence = ["--silence", str(self.silence)] if self.silence else []
        self.begin_command("control", "a", "control", *silence)
        self.begin_command("worker-a", "a", "worker", "--slots", "2", *silence)
        self.begin_command("worker-b", "b", "worker", "--slots", "2", *silence)
        self.process = self.processes["web"]
        self.wait_healthy(wait_seconds)

    def is_redis_there(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.redis_port)) == 0

    def begin_command(self, name: str, machine: str, *arguments: str):
        data = self.data if machine == "a" else self.folder / machine
        self.begin(name, [sys.executable, "manage.py", *arguments, "--data", str(data)])

    def begin(self, name: str, command: list[str]):
        with self.output.open("ab") as output:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=outside_environment() | self.env | {"STUDIO_PORT": str(self.port)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self):
        living = [process for process in self.processes.values() if process.poll() is None]
        for process in reversed(living):
            process.send_signal(signal.SIGTERM)
        for process in reversed(living):
            process.wait(20)

    def steps(self) -> dict[str, list]:
        """Per run: its steps, each with name, status, whether it was reused, and its attempts."""
        steps: dict[str, list] = {}
        for run, *step in json.loads(self.manage("shell", "-v", "0", "-c", ATTEMPTS)):
            steps.setdefault(run, []).append(step)
        return steps

    def finish(self, runs: list[str]) -> dict[str, list]:
        for run in runs:
            assert self.wait(run)["Status"]["StatusCode"] == "Finished"
        steps = self.steps()
        return {run: steps[run] for run in runs}


@pytest.fixture
def machines(tmp_path, postgresql_url):
    with Machines(tmp_path, postgresql_url) as live:
        yield live


def test_two_workers_share_the_work_and_one_that_is_killed_is_replaced(machines, tmp_path):
    machines.manage("publish", str(PIPELINES / "holder"), "--endpoint", "holder")

    def trigger(number: int) -> str:
        return machines.trigger("compare", ParameterAssignments={"pipeline_arg": number + 1})

    with ThreadPoolExecutor(CALLERS) as callers:
        runs = list(callers.map(trigger, range(RUNS)))
    workers = set()
    for steps in machines.finish(runs).values():
        assert sorted(name for name, *_ in steps) == ["compare", "extract", "train"]
        for _, status, reused, attempts in steps:
            assert status == "Completed"
            assert [outcome for _, outcome in attempts] == ["Completed"] or (
                reused and not attempts
            )
            workers |= {worker for worker, _ in attempts}
    assert len(workers) == 2

    held = machines.trigger("holder", ParameterAssignments={"folder": str(tmp_path)})
    began = tmp_path / "hold.began"
    wait_for(lambda: began.exists() and began.read_text().strip(), seconds=20, what="the step")
    [[_, _, _, [[worker, _]]]] = machines.steps()[held]
    killed = int(worker.split(":")[1])
    assert killed in {machines.processes[name].pid for name in ("worker-a", "worker-b")}
    runs = [trigger(RUNS + number) for number in range(4)]
    next(p for p in machines.processes.values() if p.pid == killed).kill()
    wait_for(lambda: len(began.read_text().split()) == 2, seconds=55, what="the second attempt")
    (tmp_path / "hold.go").touch()
    finished = machines.finish([held, *runs])
    [[_, _, _, attempts]] = finished[held]
    assert [outcome for _, outcome in attempts] == ["Lost", "Completed"]
    assert attempts[1][0] != worker
    assert all(status == "Completed" for run in runs for _, status, _, _ in finished[run])

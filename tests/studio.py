"""The real studio, started with `manage.py up` in a data folder of its own."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def outside_environment() -> dict[str, str]:
    """The environment without our own settings and pytest's, as a person's shell has it."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("STUDIO_", "PYTEST_", "DJANGO_"))
    }


class LiveStudio:
    """`http`, `https`: base addresses. `token`: an Admin's. `ca_bundle`: what callers must trust."""

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 2,
        samples: bool = True,
        demo: bool = False,
        env: dict | None = None,
        silence: float | None = None,
    ):
        self.data = folder / "data"
        self.output = folder / "up.txt"
        self.port, self.tls_port = free_port(), free_port()
        self.http = f"http://127.0.0.1:{self.port}"
        self.https = f"https://127.0.0.1:{self.tls_port}"
        self.workers, self.samples, self.demo, self.env = workers, samples, demo, env or {}
        self.silence = silence
        self.process = None

    def __enter__(self):
        self.start()
        self.token = self.manage("token", "tests").strip()
        return self

    def __exit__(self, *error):
        self.stop()

    def start(self, *, wait_seconds: float = 120):
        arguments = [
            "--data",
            str(self.data),
            "--port",
            str(self.port),
            "--tls-port",
            str(self.tls_port),
        ]
        arguments += ["--workers", str(self.workers)]
        if not self.samples:
            arguments.append("--no-samples")
        if self.demo:
            arguments.append("--demo")
        if self.silence:
            arguments += ["--silence", str(self.silence)]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=ROOT,
                env=outside_environment() | self.env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_healthy(wait_seconds)

    def wait_healthy(self, seconds: float):
        """Return when /healthz is ok; fail with what `up` printed if it dies or takes too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"up ended: {self.output.read_text()}")
            try:
                if self.get("/healthz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"up is not healthy: {self.output.read_text()}")

    def stop(self):
        """Ctrl-C; that everything has ended 10 s later is promised, whatever the steps do."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)

    def manage(self, *arguments: str) -> str:
        """What `manage.py …` prints for this data folder."""
        environment = outside_environment() | {
            "STUDIO_PORT": str(self.port),
            "STUDIO_TLS_PORT": str(self.tls_port),
        }
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments, "--data", str(self.data)],
            cwd=ROOT,
            env=environment | self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def process_of(self, *arguments: str):
        """A further process of this studio, such as a second worker, while the block lasts."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments, "--data", str(self.data)],
            cwd=ROOT,
            env=outside_environment() | {"STUDIO_TLS_PORT": str(self.tls_port)} | self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)

    @property
    def password(self) -> str:
        """The admin's password, which `up` printed once."""
        return re.search(r"password (\S+)", self.output.read_text()).group(1)

    @property
    def ca_bundle(self) -> Path:
        return self.data / "tls" / "ca-bundle.pem"

    def tree(self) -> list[tuple[int, str]]:
        """The pid and the name of `up` and of whatever descends from it; forks are told apart by
        their names."""
        listing = subprocess.run(
            ["ps", "-eo", "pid,ppid,comm"], capture_output=True, text=True, check=True
        )
        rows = [line.split(None, 2) for line in listing.stdout.splitlines()[1:]]
        found, grown = {str(self.process.pid)}, True
        while grown:
            more = {pid for pid, parent, _ in rows if parent in found} - found
            found, grown = found | more, bool(more)
        return [(int(pid), name.strip()) for pid, _, name in rows if pid in found]

    # --- calls -----------------------------------------------------------------------------------
    def call(
        self,
        method: str,
        path: str,
        body=None,
        *,
        token: str | None = "",
        base: str = "",
        headers: dict[str, str] | None = None,
    ):
        """`(status, parsed JSON or text)` of a REST call; `token=None` sends no Authorization."""
        address = (base or self.http) + path
        request = urllib.request.Request(address, method=method, headers=headers or {})  # noqa: S310
        if token is not None:
            request.add_header("Authorization", f"Bearer {token or self.token}")
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        context = (
            ssl.create_default_context(cafile=str(self.ca_bundle)) if base == self.https else None
        )
        try:
            with urllib.request.urlopen(request, data, timeout=30, context=context) as reply:  # noqa: S310
                return reply.status, _parsed(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, _parsed(error.read())

    def get(self, path: str, **more):
        return self.call("GET", path, token=None if path == "/healthz" else "", **more)

    @property
    def scope(self) -> str:
        """The workspace's path on the wire."""
        if not hasattr(self, "_scope"):
            subscription = self.get("/subscriptions?api-version=2022-12-01")[1]["value"][0]
            self._scope = (
                f"/subscriptions/{subscription['subscriptionId']}/resourceGroups/studio"
                "/providers/Microsoft.MachineLearningServices/workspaces/studio"
            )
        return self._scope

    @property
    def pipelines(self) -> str:
        """`P` of the wire."""
        return "/pipelines/v1.0" + self.scope

    def trigger(self, endpoint: str, **body) -> str:
        """Submit to an endpoint by name; the run's id."""
        body.setdefault("ExperimentName", "live")
        status, reply = self.call("POST", f"/endpoints/{endpoint}/submit", body)
        assert status == 200, reply
        return reply["Id"]

    def wait(self, run_id: str, *, seconds: float = 60) -> dict:
        """The run entity once its status is final."""
        address, held = f"{self.pipelines}/PipelineRuns/{run_id}", {"Prefer": "wait=10"}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status, run = self.get(address, headers=held)
            assert status == 200, run
            if run["Status"]["StatusCode"] in ("Finished", "Failed", "Canceled"):
                return run
        raise AssertionError(f"run {run_id} did not end in {seconds} s: {run['Status']}")


def _parsed(raw: bytes):
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")

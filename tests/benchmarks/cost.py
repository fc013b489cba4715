"""What a script pays that opens its workspace and starts a published pipeline: how many calls the real
SDK makes for it, and how long each takes beside a view that only knows its caller."""

import http.client
import re
import ssl
import statistics
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.sdk.environment import python_with_sdk
from tests.studio import ROOT, LiveStudio, free_port

SAMPLES = 25
SCRIPT = """
import sys
from azureml.core import Workspace
from azureml.pipeline.core import PublishedPipeline
workspace = Workspace.from_config()
print(PublishedPipeline.get(workspace, sys.argv[1]).submit(workspace, "cost").id)
"""
# The published pipeline; and the target it names, which a worker that there is not serves by name, so
# that no step runs while calls are timed.
PREPARE = """
from datetime import timedelta
from django.utils import timezone
from endpoints.models import ComputeTarget, PublishedPipeline
from runs.models import Worker
pipeline = PublishedPipeline.objects.get()
ComputeTarget.objects.create(workspace=pipeline.workspace, name="gpu")
for_long = timezone.now() + timedelta(days=1)
Worker.objects.create(
    name="none", role="worker", host="h", pid=1, queues=["gpu"], is_named=True, heartbeat_at=for_long
)
print(pipeline.uuid)
"""
# What the SDK asks whatever it is answered: the clouds, who signs tokens, a token, the subscriptions,
# the workspace, the services; the data types with which each client of pipelines begins (one to get
# the pipeline, one to submit it, one for its run), the pipeline, its run, and that run's history.
INSISTED = 12
AFTER_HOP = {"host", "connection", "transfer-encoding", "content-length", "server", "date"}


class Recorder(ThreadingHTTPServer):
    """A TLS proxy in front of the studio that writes down what passes."""

    daemon_threads = True

    def __init__(self, studio: LiveStudio, port: int):
        super().__init__(("127.0.0.1", port), Passing)
        self.studio, self.calls = studio, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(
            studio.data / "tls" / "server.pem", studio.data / "tls" / "server.key"
        )
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {
            key: value for key, value in self.headers.items() if key.lower() not in AFTER_HOP
        }
        headers |= {"Host": self.headers["Host"], "X-Forwarded-Proto": "https"}
        self.server.calls.append((self.command, self.path, body, headers))
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.studio.port)
        upstream.request(self.command, self.path, body, headers)
        reply = upstream.getresponse()
        content = reply.read()
        self.send_response(reply.status)
        for key, value in reply.getheaders():
            if key.lower() not in AFTER_HOP:
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any  # noqa: N815

    def log_message(self, *arguments):
        pass


def rows(folder: Path):
    """`(what, ours, floor, limit)`: the number of calls, then the median of each in ms."""
    python, port = python_with_sdk(), free_port()
    home = folder / "cost"
    home.mkdir()
    with (
        LiveStudio(
            home, samples=False, env={"STUDIO_PUBLIC_URL": f"https://127.0.0.1:{port}"}
        ) as live,
        Recorder(live, port) as recorder,
    ):
        live.manage("publish", str(ROOT / "tests" / "pipelines" / "gpu"), "--endpoint", "cost")
        pipeline = live.manage("shell", "-v", "0", "-c", PREPARE).strip()
        submit_by_sdk(live, python, home, pipeline)
        calls = recorder.calls
        yield "calls of from_config() and submit()", len(calls), INSISTED, 1
        # The caller's own subscription: the view knows its caller and asks for nothing more.
        empty = ("GET", "/subscriptions", b"", calls[-1][-1])
        for call in distinct(calls):
            floor, ours = side_by_side(live.port, empty, call)
            yield f"{named(call)}, ms", ours, floor, 3


def submit_by_sdk(live: LiveStudio, python: Path, home: Path, pipeline: str):
    printed = live.manage("sdkenv", "--write-config", str(home))
    environment = dict(re.findall(r"export (\w+)=(\S+)", printed))
    environment |= {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    command = [str(python), "-c", SCRIPT, pipeline]
    done = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def distinct(calls: list) -> list:
    """The calls without repetitions."""
    return list({(method, path): (method, path, *rest) for method, path, *rest in calls}.values())


def side_by_side(port: int, *calls) -> list[float]:
    """The median time of each call in ms; they take turns."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times = [[] for _ in calls]
    for turn in range(SAMPLES + 2):
        for call, taken in zip(calls, times, strict=True):
            started = time.perf_counter()
            connection.request(*call)
            reply = connection.getresponse()
            reply.read()
            assert reply.status < 500, call
            if turn > 1:
                taken.append((time.perf_counter() - started) * 1000)
    connection.close()
    return [statistics.median(taken) for taken in times]


def named(call) -> str:
    method, path, *_ = call
    path = re.sub("/subscriptions/.+/workspaces/[^/?]+", "W", path.partition("?")[0])
    return f"{method} {re.sub('[0-9a-f-]{36}', '{id}', path)}"

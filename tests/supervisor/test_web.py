"""The web server under callers that are slow on purpose, over http and https, and those that send
bodies in chunks."""

import http.client
import json
import os
import signal
import socket
import ssl
import threading
import time
from contextlib import ExitStack, closing, contextmanager

import pytest

from tests.studio import ROOT
from tests.waiting import wait_for

DRIBBLING, READING = 100, 200
BIG = 200 * 1024 * 1024


@pytest.fixture
def big_file(live):
    """A file of 200 MB to read slowly. The web processes look for such files when they start."""
    with (live.data / "static" / "big.bin").open("wb") as file:
        file.truncate(BIG)
    for name in ("web", "web-tls"):
        os.kill(live.pid_of(f"studio-{name}"), signal.SIGTERM)
    wait_for(lambda: served(live), seconds=20, what="the restart")
    yield "/static/big.bin"
    (live.data / "static" / "big.bin").unlink()


def served(live) -> bool:
    try:
        for tls in (False, True):
            with connection(live, tls=tls) as stream:
                stream.sendall(b"HEAD /static/big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
                if b" 200 " not in stream.recv(100):
                    return False
    except OSError:
        return False
    return True


def connection(live, *, tls):
    stream = socket.create_connection(
        ("127.0.0.1", live.tls_port if tls else live.port), timeout=30
    )
    if not tls:
        return stream
    context = ssl.create_default_context(cafile=str(live.ca_bundle))
    return context.wrap_socket(stream, server_hostname="127.0.0.1")


@contextmanager
def slow_callers(live, path, *, tls):
    over = threading.Event()

    def dribble():
        with connection(live, tls=tls) as stream:
            stream.sendall(
                b"POST /endpoints/noop/submit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n"
                b"Content-Type: application/json\r\n"
                b"Authorization: Bearer " + live.token.encode() + b"\r\n\r\n"
            )
            while not over.wait(2):
                stream.sendall(b" ")

    def read():
        with connection(live, tls=tls) as stream:
            stream.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            while not over.wait(2):
                assert stream.recv(4096)

    threads = [threading.Thread(target=dribble) for _ in range(DRIBBLING)]
    threads += [threading.Thread(target=read) for _ in range(READING)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)  # let every one of them hold what it can hold
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_others_are_answered_beside_slow_callers(live, big_file, tls):
    live.manage("publish", str(ROOT / "tests" / "pipelines" / "noop"), "--endpoint", "noop")
    base = live.https if tls else live.http
    with slow_callers(live, big_file, tls=tls):
        for method, path, body in [
            ("GET", "/healthz", None),
            ("POST", "/endpoints/noop/submit", {"ExperimentName": "slow-callers"}),
        ] * 5:
            status, reply = live.call(method, path, body, base=base)
            assert status == 200, reply


LOUD = """
line = "x" * 999
for _ in range(20_000):
    print(line)
"""
LOUD_PIPELINE = """
pipeline:
  name: loud
  default_compute: cpu-cluster
  steps:
    shout: {type: PythonScriptStep, name: shout, script_name: shout.py, source_directory: .}
"""


def test_others_are_answered_beside_200_slow_readers_of_a_log(live, tmp_path):
    (tmp_path / "shout.py").write_text(LOUD)
    (tmp_path / "pipeline.yml").write_text(LOUD_PIPELINE)
    live.manage("publish", str(tmp_path), "--endpoint", "loud")
    run = live.trigger("loud")
    assert live.wait(run, seconds=120)["Status"]["StatusCode"] == "Finished"
    graph = f"{live.pipelines}/PipelineRuns/{run}/Graph"
    [node] = live.call("POST", f"{graph}/AllNodes/Status", [])[1]
    with ExitStack() as stack:
        readers = [
            stack.enter_context(log_reader(live, f"{graph}/Shareable/STDOUT", node))
            for _ in range(READING)
        ]
        for method, path, body in [
            ("GET", "/healthz", None),
            ("POST", "/endpoints/none/submit", {"ExperimentName": "x"}),
        ] * 5:
            assert live.call(method, path, body)[0] in (200, 404)
            for reader in readers[::20]:
                assert reader.recv(4096)


def test_200_callers_wait_for_a_run_and_others_are_answered(live):
    live.manage("publish", str(ROOT / "tests" / "pipelines" / "holder"), "--endpoint", "waited-for")
    run = live.trigger("waited-for")
    path = f"{live.pipelines}/PipelineRuns/{run}"
    with ExitStack() as stack:
        waiting = [stack.enter_context(connection(live, tls=n % 2)) for n in range(READING)]
        for stream in waiting:
            stream.sendall(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {live.token}\r\n"
                "Prefer: wait=50\r\nConnection: close\r\n\r\n".encode()
            )
        for _ in range(5):
            assert live.get("/healthz")[0] == 200
        assert live.call("DELETE", f"{path}/Execution")[0] == 200
        for stream in waiting:
            reply = b"".join(iter(lambda: stream.recv(65536), b""))  # noqa: B023
            assert b'"StatusCode":"Canceled"' in reply


def log_reader(live, path, node):
    body = json.dumps([node]).encode()
    stream = connection(live, tls=False)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    stream.sendall(
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Bearer {live.token}\r\n\r\n".encode()
        + body
    )
    assert b" 200 OK" in stream.recv(4096)
    return stream


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_body_in_chunks_is_read(live, tls):
    live.manage("publish", str(ROOT / "tests" / "pipelines" / "noop"), "--endpoint", "chunks")
    path = "/endpoints/chunks/submit"
    status, reply = in_chunks(live, path, [b'{"ExperimentName": ', b'"in-chunks"}'], tls=tls)
    assert status == 200, reply


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_refusal_reaches_a_caller_who_sends_all_of_a_large_body_first(live, tls):
    megabytes = [b" " * (1 << 20)] * 40
    for path, token, wanted, word in (
        ("/endpoints/none/submit", live.token, 413, "4194304"),
        (f"{live.pipelines}/Modules", live.token, 413, "STUDIO_MAX_BODY_BYTES"),
        (f"{live.pipelines}/Modules", "studio_wrong", 401, "token"),
    ):
        status, reply = in_chunks(live, path, megabytes, tls=tls, token=token)
        assert status == wanted
        assert word in reply["error"]["message"]


def in_chunks(live, path, pieces, *, tls, token=""):
    context = ssl.create_default_context(cafile=str(live.ca_bundle)) if tls else None
    caller = (
        http.client.HTTPSConnection("127.0.0.1", live.tls_port, context=context, timeout=30)
        if tls
        else http.client.HTTPConnection("127.0.0.1", live.port, timeout=30)
    )
    headers = {"Authorization": f"Bearer {token or live.token}", "Content-Type": "application/json"}
    with closing(caller):
        caller.request("POST", path, iter(pieces), headers, encode_chunked=True)
        reply = caller.getresponse()
        return reply.status, json.loads(reply.read())

"""Callers who are slow on purpose lose their connection, those on a slow line keep it, and nobody
waits for either."""

import hashlib
import socket
import ssl
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

from studio.front import secure
from studio.front.limits import Limits, Pace
from studio.supervisor import tls
from tests.front.serving import QUICK, read_all, served
from tests.waiting import wait_for

MANY = 200
BIG = 50_000_000


def application(environ, start_response):
    if environ["PATH_INFO"] == "/big":
        start_response("200 OK", [("Content-Length", str(BIG))])
        return (b"x" * 100_000 for _ in range(BIG // 100_000))
    body = environ["wsgi.input"].read()
    start_response("200 OK", [])
    return [hashlib.sha256(body).hexdigest().encode()]


@pytest.fixture(scope="module", params=["http", "https"])
def kept(request, tmp_path_factory):
    """How a server is started whose callers come over http, or https."""
    folder = tmp_path_factory.mktemp("front")
    more = {}
    if request.param == "https":
        (folder / "tls").mkdir()
        files = tls.ensure(folder / "tls", hosts=["127.0.0.1"])
        more = {
            "tls": secure.context_of(files.certificate, files.key),
            "trust": ssl.create_default_context(cafile=str(files.bundle)),
        }
    return lambda limits: served(application, folder, limits=limits, **more)


GET = b"GET / HTTP/1.1\r\nHost: studio\r\nConnection: close\r\n\r\n"
HALF = {
    "nothing": b"",
    "half of the headers": b"POST / HTTP/1.1\r\nHost: stu",
    "half of a body": b"POST / HTTP/1.1\r\nHost: studio\r\nContent-Length: 5000\r\n\r\n{",
    "half of a chunk": b"POST / HTTP/1.1\r\nHost: studio\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na",
    "an answer not read": b"GET /big HTTP/1.1\r\nHost: studio\r\n\r\n",
}


@pytest.mark.parametrize("half", HALF.values(), ids=HALF)
def test_others_are_answered_beside_many_who_hold_a_connection(kept, half):
    with kept(Limits()) as server, ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(server.connect()).sendall(half)
        for _ in range(5):
            assert b" 200 OK" in server.call(GET)
        assert len(server.server.connections) >= MANY


@pytest.mark.parametrize("half", HALF.values(), ids=HALF)
def test_who_holds_a_connection_loses_it(kept, half):
    with kept(QUICK) as server, server.connect() as stream:
        stream.sendall(half)
        # What it still sends is not read.
        wait_for(lambda: not server.server.connections, seconds=30, what="the end")
        if "big" not in half.decode():
            assert b" 200 " not in read_all(stream)  # 408, or nothing


def test_half_a_handshake_ends(kept):
    with kept(QUICK) as server:
        if server.tls is None:
            pytest.skip("http has none")
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as stream:
            stream.sendall(b"\x16\x03\x01\x02\x00")  # the first bytes of a ClientHello
            assert stream.recv(100) == b""


def test_dribbling_does_not_count_as_sending(kept):
    """A byte now and then, as long as the server lets it."""
    with kept(QUICK) as server, server.connect() as stream:
        stream.sendall(HALF["half of a body"])
        sent = 0
        try:
            while sent < 4000:
                stream.sendall(b" ")
                sent += 1
                time.sleep(0.05)
        except OSError:
            pass
        assert sent < 4000


def test_a_slow_line_brings_its_body_however_long_it_takes(kept):
    """Twice as long as the window, at more than the least that is asked."""
    limits = replace(QUICK, slowest=100, window=2.0)
    pieces = [bytes([n]) * 1000 for n in range(45)]
    with kept(limits) as server, server.connect() as stream:
        stream.sendall(
            b"PUT / HTTP/1.1\r\nHost: s\r\nConnection: close\r\nContent-Length: 45000\r\n\r\n"
        )
        for piece in pieces:
            stream.sendall(piece)
            time.sleep(0.1)
        assert hashlib.sha256(b"".join(pieces)).hexdigest().encode() in read_all(stream)


def test_a_slow_reader_gets_its_answer_however_long_it_takes(kept):
    limits = replace(QUICK, slowest=100, window=2.0)
    with kept(limits) as server, server.connect() as stream:
        stream.sendall(b"GET /big HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n")
        got = 0
        until = time.monotonic() + 5
        while time.monotonic() < until:
            got += len(stream.recv(20_000))
            time.sleep(0.02)
        assert got < BIG, "it was to be slow"
        got += len(read_all(stream))
        assert got > BIG


def test_a_pace_is_that_of_the_last_window():
    pace = Pace(Limits(slowest=1000, window=50))
    pace.begin(0, 0)
    assert pace.is_kept(49, 0)  # too early to tell
    assert not pace.is_kept(50, 49_999)
    pace.begin(0, 0)
    assert all(pace.is_kept(now, 100_000) for now in range(5, 50, 5))  # all of it at the start
    assert pace.is_kept(50, 100_000)
    assert not pace.is_kept(55, 100_000)  # and nothing since

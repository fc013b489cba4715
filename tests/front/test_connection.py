"""HTTP as callers speak it, right and wrong, and what the application makes of it."""

import hashlib
import os
import threading

import pytest

from tests.front.serving import QUICK, OpenGate, read_all, served

BIG = 3_000_000


def echo(environ, start_response):
    """What arrived: method, path, query, length."""
    size = 0
    while piece := environ["wsgi.input"].read(65536):
        size += len(piece)
    path = environ["PATH_INFO"].encode("latin-1").decode()
    text = f"{environ['REQUEST_METHOD']} {path} {environ['QUERY_STRING']} {size}".encode()
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served(echo, tmp_path_factory.mktemp("front")) as running:
        yield running


def head(line: str, *headers: str, close=True) -> bytes:
    lines = [line, "Host: studio", *headers, *(["Connection: close"] if close else [])]
    return "\r\n".join([*lines, "", ""]).encode()


def body_of(reply: bytes) -> str:
    return reply.partition(b"\r\n\r\n")[2].decode()


def test_a_body_of_some_length_arrives(server):
    reply = server.call(head("POST /a%20b?c=d HTTP/1.1", "Content-Length: 5") + b"hello")
    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body_of(reply) == "POST /a b c=d 5"


def test_a_body_in_chunks_arrives(server):
    chunks = b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
    reply = server.call(head("POST / HTTP/1.1", "Transfer-Encoding: chunked") + chunks)
    assert body_of(reply) == "POST /  6"


def test_a_large_body_arrives_once_it_may(server):
    asked = head("PUT / HTTP/1.1", f"Content-Length: {BIG}", "Expect: 100-continue")
    with server.connect() as stream:
        stream.sendall(asked)
        assert stream.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        stream.sendall(b"x" * BIG)
        assert body_of(read_all(stream)) == f"PUT /  {BIG}"


def test_a_large_body_arrives_as_it_was_sent(tmp_path):
    """Also the pieces that come while others are written to the file."""

    def application(environ, start_response):
        start_response("200 OK", [])
        return [hashlib.sha256(environ["wsgi.input"].read()).hexdigest().encode()]

    body = os.urandom(12_000_000)
    with served(application, tmp_path) as server:
        for framing, raw in (
            (f"Content-Length: {len(body)}", body),
            ("Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)),
        ):
            reply = server.call(head("PUT / HTTP/1.1", framing) + raw)
            assert hashlib.sha256(body).hexdigest() in body_of(reply)


@pytest.mark.parametrize("size", [BIG, 30_000_000], ids=["refused", "too large"])
def test_a_refusal_reaches_a_caller_that_still_sends(server, size):
    """Such callers read nothing before they have sent everything."""
    who = "nobody" if size == BIG else "somebody"
    reply = server.call(
        head("POST / HTTP/1.1", f"Content-Length: {size}", f"Authorization: {who}") + b"x" * size
    )
    assert reply.startswith(b"HTTP/1.1 401 " if size == BIG else b"HTTP/1.1 413 ")
    assert b"Connection: close" in reply


def test_a_body_in_chunks_that_grows_too_large_is_refused(server):
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    request = head("POST / HTTP/1.1", "Transfer-Encoding: chunked") + chunk * 17 + b"0\r\n\r\n"
    assert server.call(request).startswith(b"HTTP/1.1 413 ")


def test_requests_that_arrive_at_once_are_answered_in_turn(server):
    first = head("POST /1 HTTP/1.1", "Content-Length: 2", close=False) + b"ab"
    reply = server.call(first + head("GET /2 HTTP/1.1"))
    assert reply.index(b"POST /1  2") < reply.index(b"GET /2  0")


def test_an_offer_of_http_2_is_no_obstacle(server):
    """Java's client makes one with its first request."""
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    first = head("POST /1 HTTP/1.1", "Content-Length: 5", *offer, close=False) + b"hello"
    chunked = head("POST /2 HTTP/1.1", "Transfer-Encoding: chunked", *offer, close=False)
    reply = server.call(first + chunked + b"3\r\nabc\r\n0\r\n\r\n" + head("GET /3 HTTP/1.1"))
    assert [b"POST /1  5" in reply, b"POST /2  3" in reply, b"GET /3  0" in reply] == [True] * 3


def test_many_offers_of_http_2_at_once_are_no_obstacle(server):
    one = head("GET /a HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c", close=False)
    reply = server.call(one * 1000 + head("GET /last HTTP/1.1"))
    assert reply.count(b"GET /a  0") == 1000
    assert reply.endswith(b"GET /last  0")


def test_the_host_of_an_address_counts_before_the_header(tmp_path):
    def host(environ, start_response):
        start_response("200 OK", [])
        return [environ["HTTP_HOST"].encode()]

    with served(host, tmp_path) as server:
        assert body_of(server.call(head("GET http://there:80/a HTTP/1.1"))) == "there:80"
        assert body_of(server.call(head("GET /a HTTP/1.1"))) == "studio"


def test_a_caller_of_http_1_0_is_not_told_to_continue(server):
    raw = f"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: {BIG}\r\n\r\n"
    assert server.call(raw.encode() + b"x" * BIG).startswith(b"HTTP/1.1 200 ")


def test_what_the_server_itself_cannot_do_ends_the_connection(tmp_path):
    class Failing(OpenGate):
        def refusal(self, status, reason):
            raise SystemExit

        def admit(self, environ):
            raise SystemExit

    with served(echo, tmp_path, gate=Failing()) as server:
        assert server.call(head("POST / HTTP/1.1", f"Content-Length: {BIG}")) == b""


def test_letters_of_an_address_need_no_quoting(server):
    """curl sends them as they are."""
    assert body_of(server.call(head("GET /회귀 HTTP/1.1"))) == "GET /회귀  0"


def test_head_is_answered_without_a_body(server):
    reply = server.call(head("HEAD / HTTP/1.1"))
    assert b"Content-Length: 9\r\n" in reply and body_of(reply) == ""


def test_a_caller_of_http_1_0_is_answered(server):
    assert body_of(server.call(b"GET / HTTP/1.0\r\n\r\n")) == "GET /  0"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (head("GET / HTTP/1.1", "Host: other"), 400),
        (head("POST / HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked"), 400),
        (head("POST / HTTP/1.1", "Content-Length: 1", "Content-Length: 2"), 400),
        (head("POST / HTTP/1.1", "Content-Length: -1"), 400),
        (head("POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked"), 501),
        (head("GET / HTTP/1.1", "Expect: miracles"), 417),
        (head("TRACE / HTTP/1.1"), 405),
        (head("CONNECT other:443 HTTP/1.1"), 405),
        (head("CONNECT / HTTP/1.1") + b"more", 405),
        (head("GET http://[::1/ HTTP/1.1"), 400),
        (head("GET http://[x]/ HTTP/1.1"), 400),
        (head("POST / HTTP/1.0", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
        (head("GET / HTTP/2.0"), 505),
        (head("GET / HTTP/0.9"), 505),
        (head("GET / HTTP/1.1", "X: " + "y" * 70_000), 431),
        (b"GET /" + b"y" * 140_000, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 140_000, 431),
        (head("POST / HTTP/1.1", "Transfer-Encoding: chunked") + b"1;x=" + b"y" * 600_000, 400),
    ],
    ids=range(20),
)
def test_what_is_no_http_is_refused(server, raw, status):
    assert server.call(raw).startswith(b"HTTP/1.1 %d " % status)


def test_a_header_with_an_underscore_is_nobody(tmp_path):
    """It would look like the one with a dash, which a proxy in front sets or removes."""

    def application(environ, start_response):
        start_response("200 OK", [])
        return [environ.get("HTTP_X_FORWARDED_PROTO", "none").encode()]

    with served(application, tmp_path) as server:
        assert body_of(server.call(head("GET / HTTP/1.1", "X_Forwarded_Proto: https"))) == "none"
        told = head("GET / HTTP/1.1", "X-Forwarded-Proto: a", "X-Forwarded-Proto: b")
        assert body_of(server.call(told)) == "a,b"


def test_an_answer_without_a_length_comes_in_chunks_or_ends_the_connection(tmp_path):
    def application(environ, start_response):
        start_response("200 OK", [])
        return (b"x" * 1000 for _ in range(1000))

    with served(application, tmp_path) as server:
        chunked = server.call(head("GET / HTTP/1.1"))
        assert b"Transfer-Encoding: chunked" in chunked and chunked.endswith(b"\r\n0\r\n\r\n")
        plain = server.call(b"GET / HTTP/1.0\r\n\r\n")
        assert body_of(plain) == "x" * 1_000_000


def test_an_answer_that_breaks_off_does_not_look_whole(tmp_path):
    def application(environ, start_response):
        start_response("200 OK", [])
        yield b"x" * 1_000_000
        raise ValueError("the store is gone")

    with served(application, tmp_path) as server, server.connect() as stream:
        stream.sendall(head("GET / HTTP/1.1"))
        got = b""
        try:
            got = read_all(stream)
        except ConnectionResetError:
            pass
        assert not got.endswith(b"0\r\n\r\n")


def test_an_application_that_fails_is_a_500(tmp_path):
    def application(environ, start_response):
        raise ValueError("no")

    with served(application, tmp_path) as server:
        assert server.call(head("GET / HTTP/1.1")).startswith(b"HTTP/1.1 500 ")


def test_what_an_application_opened_is_closed_when_its_caller_leaves(tmp_path):
    closed = threading.Event()

    class Endless:
        def __iter__(self):
            while True:
                yield b"x" * 65536

        def close(self):
            closed.set()

    def application(environ, start_response):
        start_response("200 OK", [])
        return Endless()

    with served(application, tmp_path) as server:
        with server.connect() as stream:
            stream.sendall(head("GET / HTTP/1.1"))
            assert stream.recv(100)
        assert closed.wait(10)


def test_what_is_under_way_is_answered_when_the_server_stops(tmp_path):
    begun, go_on = threading.Event(), threading.Event()

    def application(environ, start_response):
        begun.set()
        assert go_on.wait(10)
        start_response("200 OK", [])
        return [b"done"]

    limits = QUICK.__class__(stop=10)
    with served(application, tmp_path, limits=limits) as server, server.connect() as stream:
        idle = server.connect()
        stream.sendall(head("GET / HTTP/1.1", close=False))
        assert begun.wait(10)
        server.server.loop.call_soon_threadsafe(server.server.stop)
        assert idle.recv(100) == b""  # it held nothing up, and is closed at once
        go_on.set()
        assert body_of(read_all(stream)) == "done"

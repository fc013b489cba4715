"""Reads that wait for news: they hold no thread, and end with the news, the time, or the server."""

import socket
import threading
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.front.serving import QUICK, read_all, served
from tests.waiting import wait_for

MANY = 200
OFTEN = replace(QUICK, ask_again=0.05, held=60.0)
WAITING = b"GET /run HTTP/1.1\r\nHost: s\r\nPrefer: wait=50\r\nConnection: close\r\n\r\n"


class Run:
    """An application with one thing to tell, once it has happened."""

    def __init__(self):
        self.is_over, self.was_read = threading.Event(), threading.Event()

    def __call__(self, environ, start_response):
        self.was_read.set()
        if (
            environ["PATH_INFO"] == "/run"
            and environ["studio.may_hold"]
            and not self.is_over.is_set()
        ):
            start_response("204 No Content", [("x-studio-hold", "1")])
            return []
        text = b"over" if self.is_over.is_set() else b"running"
        start_response("200 OK", [])
        return [text]


@pytest.fixture
def run():
    return Run()


def test_many_wait_and_others_are_answered(run, tmp_path):
    with served(run, tmp_path, limits=OFTEN) as server, ExitStack() as stack:
        waiting = [stack.enter_context(server.connect()) for _ in range(MANY)]
        for stream in waiting:
            stream.sendall(WAITING)
        for _ in range(20):
            assert server.call(WAITING.replace(b"/run", b"/other")).endswith(b"running")
        run.is_over.set()
        for stream in waiting:
            reply = read_all(stream)
            assert reply.endswith(b"over") and b"x-studio-hold" not in reply


def test_without_news_it_is_answered_as_it_is_in_time(run, tmp_path):
    with served(run, tmp_path, limits=OFTEN) as server:
        assert server.call(WAITING.replace(b"=50", b"=1")).endswith(b"running")


def test_nobody_waits_longer_than_the_server_lets_them(run, tmp_path):
    with served(run, tmp_path, limits=replace(OFTEN, held=0.3)) as server:
        assert server.call(WAITING).endswith(b"running")


def test_one_more_than_may_wait_is_answered_at_once(run, tmp_path):
    with served(run, tmp_path, limits=replace(OFTEN, most_held=0)) as server:
        assert server.call(WAITING).endswith(b"running")


def test_who_has_left_is_not_asked_for_again(run, tmp_path):
    with served(run, tmp_path, limits=replace(OFTEN, ask_again=30.0)) as server:
        with server.connect() as stream:
            stream.sendall(WAITING)
            wait_for(lambda: server.server.held, seconds=20, what="the wait")
        wait_for(lambda: not server.server.connections, seconds=20, what="the end")
        assert not server.server.held


def test_who_sends_no_more_is_answered_as_it_is(run, tmp_path):
    with served(run, tmp_path, limits=OFTEN) as server, server.connect() as stream:
        stream.sendall(WAITING)
        wait_for(lambda: server.server.held, seconds=20, what="the wait")
        stream.shutdown(socket.SHUT_WR)
        stream.settimeout(20)  # well below the 50 s that it may wait
        assert read_all(stream).endswith(b"running")


def test_what_is_sent_meanwhile_is_the_next_request(run, tmp_path):
    with served(run, tmp_path, limits=OFTEN) as server, server.connect() as stream:
        stream.sendall(WAITING.replace(b"Connection: close\r\n", b""))
        wait_for(lambda: server.server.held, seconds=20, what="the wait")
        stream.sendall(WAITING.replace(b"/run", b"/other"))
        run.is_over.set()
        assert read_all(stream).count(b"200 OK") == 2


def test_they_are_answered_when_the_server_stops(run, tmp_path):
    limits = replace(OFTEN, ask_again=30.0)
    with served(run, tmp_path, limits=limits) as server, server.connect() as stream:
        stream.sendall(WAITING)
        while not server.server.held:
            run.was_read.wait(0.01)
        server.server.loop.call_soon_threadsafe(server.server.stop)
        assert read_all(stream).endswith(b"running")

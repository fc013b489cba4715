"""One connection, from its first byte to its last."""

import asyncio
import fcntl
import logging
import re
import termios
from array import array
from collections import deque
from enum import Enum, auto

import httptools

from studio.front.answers import Answer, plain
from studio.front.limits import Pace
from studio.front.requests import Request, place_of

logger = logging.getLogger(__name__)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HIGH = re.compile(rb"[\x80-\xff]")


def unacknowledged(socket) -> int:
    """Bytes that the other side has not acknowledged. Only Linux tells; elsewhere sent means
    taken."""
    count = array("i", [0])
    try:
        fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, count)
    except (OSError, ValueError):
        return 0
    return count[0]


def quoted(match: re.Match) -> bytes:
    return b"%%%02X" % ord(match[0])


class Stage(Enum):
    """Whom the connection waits for."""

    IDLE = auto()  # the caller, for the next request
    RECEIVING = auto()  # the caller, for the rest of a request
    WORKING = auto()  # ourselves
    SENDING = auto()  # the caller, to take what was sent
    LINGERING = auto()  # the caller, who was refused and is still sending
    CLOSED = auto()  # nobody; the last bytes may still be in transit


class Connection(asyncio.Protocol):
    """Everything here runs on the event loop; what may block is handed to threads. Requests that
    arrive early wait in line."""

    def __init__(self, server, *, scheme: str):
        self.server, self.limits, self.scheme = server, server.limits, scheme
        self.loop = server.loop
        self.parser = httptools.HttpRequestParser(self)
        self.requests: deque[Request] = deque()
        self.arriving: Request | None = None
        self.again: Request | None = None  # a request whose headers are parsed once more
        self.has_line = False
        self.fault: tuple[int, str] | None = None
        self.unread = 0  # bytes received of incomplete headers
        self.answer: Answer | None = None
        self.is_paused = self.is_ended = False
        self.received = self.sent = 0
        self.pace = Pace(self.limits)
        self.stage = Stage.CLOSED

    # --- what the transport tells ---------------------------------------------------------------------
    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(
            high=0
        )  # so that `resume_writing` means that everything was taken
        self.place = place_of(transport, self.scheme)
        self.enter(Stage.IDLE)
        self.server.admit(self)

    def data_received(self, data):
        self.received += len(data)
        if self.stage is Stage.LINGERING:
            self.linger(len(data))
        elif self.stage is not Stage.CLOSED and self.fault is None:
            self.parse(data)
            if self.stage in (Stage.WORKING, Stage.SENDING):
                self.transport.pause_reading()  # one piece in advance is enough
            else:
                self.go_on()

    def eof_received(self):
        """The caller sends no more; it may still wait for its answer. One that has left looks the same,
        so a read that waits for news is answered now."""
        self.is_ended = True
        if self.stage is Stage.RECEIVING:
            self.refuse(400, "The request ended before its length.")
        elif self in self.server.held:
            self.hold_no_longer()
        return self.stage in (Stage.WORKING, Stage.SENDING)

    def pause_writing(self):
        self.is_paused = True

    def resume_writing(self):
        self.is_paused = False
        if self.stage is Stage.SENDING:
            self.send_on()

    def connection_lost(self, error):
        was, self.stage = self.stage, Stage.CLOSED
        self.server.forget(self)
        if self.server.held.pop(self, None) is not None:
            self.timer.cancel()
            self.drop()
        elif was is not Stage.WORKING:  # otherwise the thread that works for it notices
            self.drop()

    # --- what the server asks of every connection -------------------------------------------------------
    def check(self, now: float):
        """Close the connection if its caller takes longer than the limits allow."""
        limits, waited = self.limits, now - self.since
        if self.stage is Stage.IDLE and waited > limits.idle:
            self.close()
        elif self.stage is Stage.RECEIVING:
            if not self.requests[0].has_headers and waited > limits.headers:
                self.refuse(408, f"The headers did not arrive within {limits.headers:g} s.")
            elif not self.pace.is_kept(now, self.received):
                self.refuse(408, f"The request came at less than {limits.slowest} bytes a second.")
        elif self.is_stuck(now, waited):
            self.transport.abort()

    def is_stuck(self, now: float, waited: float) -> bool:
        if self.stage is Stage.SENDING:
            return not self.pace.is_kept(now, self.taken())
        if self.stage is Stage.LINGERING and now - self.heard > self.limits.silence:
            return True
        return self.stage in (Stage.LINGERING, Stage.CLOSED) and waited > self.limits.linger

    def stop(self):
        """The server is stopping: requests in progress may still be answered."""
        if self in self.server.held:
            self.ask_again()
        elif self.stage in (Stage.IDLE, Stage.LINGERING):
            self.close()

    def close(self):
        self.enter(Stage.CLOSED)
        self.transport.close()

    def abort(self):
        self.transport.abort()

    def taken(self) -> int:
        """The bytes that the caller's machine has acknowledged; the kernel's buffer may hold half a
        MiB."""
        socket = self.transport.get_extra_info("socket")
        return self.sent - self.transport.get_write_buffer_size() - unacknowledged(socket)

    def enter(self, stage: Stage):
        self.stage, self.since = stage, self.loop.time()
        if stage is Stage.RECEIVING:
            self.pace.begin(self.since, self.received)
        elif stage is Stage.SENDING:
            self.pace.begin(self.since, self.taken())

    # --- receiving: the parser calls back ---------------------------------------------------------------
    def parse(self, data: bytes):
        if self.arriving is not None and self.arriving.has_headers:
            self.arriving.framed += len(data)
        else:
            self.unread += len(data)
            data = self.with_plain_address(data)
        try:
            while data:
                data = self.feed(data)
        except httptools.HttpParserError as error:
            self.fault = 400, f"This is not HTTP/1.1: {error}"
        if self.unread > self.limits.header_bytes and self.fault is None:
            most = self.limits.header_bytes
            self.fault = 431, f"The address and headers are longer than {most} bytes."

    def with_plain_address(self, data: bytes) -> bytes:
        """Percent-encode non-ASCII letters of the address: curl sends them raw, which the parser
        rejects."""
        if self.has_line:
            return data
        line, end, rest = data.partition(b"\n")
        self.has_line = bool(end)
        return data if line.isascii() else HIGH.sub(quoted, line) + end + rest

    def feed(self, data: bytes) -> bytes:
        """Parse; returns the rest."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self.without_offer(self.requests[-1], data[upgrade.args[0] :])
        return b""

    def without_offer(self, request: Request, rest: bytes) -> bytes:
        """Java's first request offers HTTP/2 by an Upgrade header. It is answered as if it had not:
        a new parser, which has not seen the offer, reads the body."""
        if request.fault is not None:  # CONNECT too; nothing after it is read
            self.fault = request.fault
            return b""
        self.again = request
        request.is_complete = False
        self.parser = httptools.HttpRequestParser(self)
        return request.bare_head() + rest

    def on_message_begin(self):
        if self.again is not None:
            self.arriving = self.again
            return
        self.arriving = Request(self.limits)
        self.requests.append(self.arriving)

    def on_url(self, url: bytes):
        if self.again is None:
            self.requests[-1].target += url

    def on_header(self, name: bytes, value: bytes):
        self.requests[-1].add_header(name, value)

    def on_headers_complete(self):
        if self.again is None:
            method = self.parser.get_method().decode("latin-1")
            self.requests[-1].end_headers(method, self.parser.get_http_version(), self.limits)
        self.again = None
        self.unread = 0

    def on_body(self, body: bytes):
        self.requests[-1].add_body(body)

    def on_message_complete(self):
        self.requests[-1].is_complete = True
        self.requests[-1].keeps_alive = self.parser.should_keep_alive()
        self.arriving = None
        self.has_line = False

    def go_on(self):
        """Do the next thing for the first request in line."""
        if self.stage not in (Stage.IDLE, Stage.RECEIVING):
            return
        request = self.requests[0] if self.requests else None
        fault = self.fault if request is None else request.fault
        if request is not None and self.stage is Stage.IDLE:
            self.enter(Stage.RECEIVING)
        if fault is not None:
            self.refuse(*fault)
        elif request is None:
            return
        elif request.has_headers and request.is_large:
            if request.is_admitted:
                self.refuse_large(request)
            else:
                self.work(self.ask, request)
        elif request.is_complete:
            self.work(self.begin, request)
        elif self.fault is not None:
            self.refuse(*self.fault)
        elif request.has_too_many_chunks:
            self.refuse(400, "The chunks of the body are too small.")
        elif request.buffered > self.limits.in_memory:
            self.work(self.spool, request, request.take())
        elif request.has_headers and request.expects:
            request.expects = False
            self.transport.write(CONTINUE)

    # --- working: the first of each pair runs in a thread, the second on the loop -------------------------
    def work(self, function, *arguments):
        self.enter(Stage.WORKING)
        self.server.threads.submit(self.try_to, function, *arguments)

    def try_to(self, function, *arguments):
        try:
            function(*arguments)
        except BaseException:  # whatever it is, the caller must not wait forever
            logger.exception("the server failed")
            self.back(self.give_up)

    def give_up(self):
        self.transport.abort()
        self.drop()

    def back(self, function, *arguments):
        self.loop.call_soon_threadsafe(function, *arguments)

    def receive_on(self):
        if self.is_gone():
            return
        self.enter(Stage.RECEIVING)
        self.read_on()
        self.go_on()

    def read_on(self):
        if not self.is_ended:
            self.transport.resume_reading()

    def is_gone(self) -> bool:
        if self.stage is Stage.CLOSED:
            self.drop()
        return self.stage is Stage.CLOSED

    def ask(self, request: Request):
        try:
            verdict = self.server.gate.admit(request.environ(self.place, None))
        except Exception:
            logger.exception("the gate failed")
            verdict = self.server.gate.refusal(500, "The server failed; its log says why.")
        self.back(self.asked, request, verdict)

    def asked(self, request: Request, verdict):
        if self.is_gone():
            return
        if isinstance(verdict, int):
            request.is_admitted, request.limit = True, verdict
            self.receive_on()
        else:
            self.send_refusal(verdict)

    def spool(self, request: Request, pieces: list[bytes]):
        try:
            request.spool(pieces, self.server.folder)
        except OSError as error:
            logger.error("a request's body could not be kept: %s", error)
            self.back(self.not_kept)
        else:
            self.back(self.receive_on)

    def not_kept(self):
        if not self.is_gone():
            self.refuse(
                503, "The disk is full. Nothing was changed; free some space and try again."
            )

    def begin(self, request: Request):
        try:
            environ = request.environ(self.place, request.body())
        except OSError as error:
            logger.error("a request's body could not be kept: %s", error)
            self.back(self.not_kept)
            return
        environ["studio.may_hold"] = self.server.may_hold(request)
        answer = Answer(
            self.server.application, request, environ, may_keep=not self.server.is_stopping
        )
        self.give(answer, answer.first)

    # A read that waits for news is repeated from time to time, and holds no thread in between.
    def hold(self, request: Request):
        if self.is_gone():
            return
        self.server.held[self] = request
        left = request.held_until - self.loop.time()
        self.timer = self.loop.call_later(min(left, self.server.ask_again()), self.ask_again)
        if self.is_ended:
            self.hold_no_longer()
        else:
            self.transport.resume_reading()  # to hear that the caller has left

    def hold_no_longer(self):
        self.server.held[self].held_until = self.loop.time()
        self.ask_again()

    def ask_again(self):
        self.timer.cancel()
        self.work(self.begin, self.server.held.pop(self))

    def continue_(self, answer: Answer):
        self.give(answer, answer.more)

    def give(self, answer: Answer, make):
        try:
            data = make()
            is_held = answer.is_without_news and answer.environ["studio.may_hold"]
            if answer.is_over or is_held:
                answer.close()
            if is_held:
                self.back(self.hold, answer.request)
                return
        except Exception as error:
            logger.exception("an answer broke off: %s", error)
            data = None
        self.back(self.given, answer, data)

    def given(self, answer: Answer, data: bytes | None):
        self.answer = answer
        if self.is_gone():
            return
        if data is None:
            self.give_up()  # the answer is incomplete; a clean end would hide that
            return
        self.write(data)
        self.send_on()

    # --- sending ------------------------------------------------------------------------------------------
    def write(self, data: bytes):
        self.sent += len(data)
        self.transport.write(data)

    def send_on(self):
        """Wait until everything sent was taken; then produce more, or take the next request."""
        answer = self.answer
        if self.is_paused:
            self.enter(Stage.SENDING)
        elif answer is not None and not answer.is_over:
            self.work(self.continue_, answer)
        elif answer is not None:
            self.finish(answer)

    def finish(self, answer: Answer):
        self.answer = None
        self.requests.popleft()
        if (
            not answer.keeps_alive
            or self.server.is_stopping
            or (self.is_ended and not self.requests)
        ):
            self.close()
            return
        self.enter(Stage.IDLE)
        self.read_on()
        self.go_on()

    # --- refusing -------------------------------------------------------------------------------------------
    def refuse(self, status: int, reason: str):
        self.send_refusal(self.server.gate.refusal(status, reason))

    def refuse_large(self, request: Request):
        self.send_refusal(self.server.gate.too_large(request.limit))

    def send_refusal(self, refusal):
        """Send a refusal, then read a bounded amount of what the caller still sends: closing the
        connection at once would destroy the answer before it is read."""
        request = self.requests[0] if self.requests else None
        self.write(plain(refusal.status, refusal.kind, refusal.body, request, refusal.headers))
        self.lingered, self.heard = 0, self.loop.time()
        self.to_linger = self.limits.linger_bytes
        if request is not None and request.length is not None and request.has_headers:
            self.to_linger = min(self.to_linger, request.length - request.size)
        self.enter(Stage.LINGERING)
        self.read_on()
        self.linger(0)

    def linger(self, more: int):
        self.lingered, self.heard = self.lingered + more, self.loop.time()
        if self.lingered >= self.to_linger or self.is_ended:
            self.close()

    def drop(self):
        """Release what the caller no longer waits for."""
        for leftover in (self.answer, *self.requests):
            if leftover is not None:
                self.server.threads.submit(leftover.close)
        self.answer = None
        self.requests.clear()

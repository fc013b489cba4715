"""An answer being sent: a WSGI application's, in pieces that are produced as the caller takes
them."""

import email.utils
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus

from studio.front.requests import Request

logger = logging.getLogger(__name__)
PIECE = 256 * 1024
NO_BODY = (204, 304)


class Broken(Exception):
    """The application failed after its answer had begun, or did not keep to its declared length."""


class Answer:
    """`pieces` are produced in threads: one at a time, not always in the same thread."""

    def __init__(self, application: Callable, request: Request, environ: dict, *, may_keep: bool):
        self.application, self.request, self.environ = application, request, environ
        self.keeps_alive = may_keep and request.keeps_alive
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.body: Iterable[bytes] = ()
        self.pieces: Iterator[bytes] = iter(())
        self.is_over = self.is_without_news = False

    def first(self) -> bytes:
        try:
            self.body = self.application(self.environ, self._start)
            self.pieces = iter(self.body)
            return self._join(head=True)
        except Exception:
            logger.exception("the application failed")
            self.is_over, self.keeps_alive = True, False
            return plain(500, "text/plain", b"The server failed; its log says why.\n", self.request)

    def more(self) -> bytes:
        return self._join(head=False)

    def close(self) -> None:
        """Close the application's iterable, even if nobody took the answer."""
        body, self.body = self.body, ()
        try:
            if close := getattr(body, "close", None):
                close()
        finally:
            self.request.close()

    def _start(self, status: str, headers: list[tuple[str, str]], error=None):
        if error is not None and self.status:
            raise error[1].with_traceback(error[2])
        self.status, self.headers = status, headers
        return self._write

    def _write(self, data: bytes):
        raise NotImplementedError("answers are iterables")

    def _join(self, *, head: bool) -> bytes:
        """The next piece with its framing; the first one with the headers."""
        content, size = [], 0
        for data in () if head and self._is_empty() else self.pieces:
            content.append(data)
            size += len(data)
            if size >= PIECE:
                break
        else:
            self.is_over = True
        top = self._head(size if self.is_over else None) if head else b""
        return top + self._framed(b"".join(content))

    def _is_empty(self) -> bool:
        return self.request.method == "HEAD" or int(self.status[:3]) in NO_BODY

    def _head(self, whole: int | None) -> bytes:
        names = {name.lower(): value for name, value in self.headers}
        self.is_without_news = HOLD in names
        self.is_chunked = False
        self.left = int(names["content-length"]) if "content-length" in names else None
        lines = [f"HTTP/1.1 {self.status}", f"Date: {now()}"]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() not in DROPPED]
        if self._is_empty():
            self.left = 0
        elif self.left is None and whole is not None:
            self.left = whole
            lines.append(f"Content-Length: {whole}")
        elif self.left is None and self.request.version == "1.1":
            self.is_chunked = True
            lines.append("Transfer-Encoding: chunked")
        elif self.left is None:
            self.keeps_alive = False  # the answer ends with the connection
        if not self.keeps_alive:
            lines.append("Connection: close")
        elif self.request.version == "1.0":
            lines.append("Connection: keep-alive")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _framed(self, data: bytes) -> bytes:
        if self.is_chunked:
            chunk = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            return chunk + (b"0\r\n\r\n" if self.is_over else b"")
        if self.left is not None:
            self.left -= len(data)
            if self.left < 0 or (self.is_over and self.left):
                raise Broken(f"{self.environ['PATH_INFO']}: not as long as its Content-Length")
        return data


HOLD = "x-studio-hold"  # set by an application that has nothing new yet and is to be called again
DROPPED = ("connection", "transfer-encoding", "date", HOLD)


def plain(status: int, kind: str, body: bytes, request: Request | None = None, more=()) -> bytes:
    """A complete answer, after which the connection is closed."""
    if request is not None and request.method == "HEAD":
        body = b""
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Date: {now()}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in more),
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


_now = (0, "")


def now() -> str:
    """The time for headers, computed once a second."""
    global _now  # noqa: PLW0603 - a cache
    second = int(time.time())
    if _now[0] != second:
        _now = second, email.utils.formatdate(second, usegmt=True)
    return _now[1]

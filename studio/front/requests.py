"""A request as it arrives, and the WSGI environment made of it."""

import io
import re
import sys
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import unquote_to_bytes, urlsplit

from studio.front.limits import Limits

WAIT = re.compile(r"\bwait\s*=\s*(\d{1,6})\b", re.IGNORECASE)
VERSIONS = {"1.0", "1.1"}
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Request:
    """Filled by the connection's parser. `fault` is what is wrong with it: status and reason."""

    def __init__(self, limits: Limits):
        self.method = self.version = ""
        self.target = b""
        self.path = self.query = self.authority = ""
        self.headers: list[tuple[str, str]] = []
        self.header_bytes = 0
        self.length: int | None = None
        self.has_headers = self.is_complete = self.keeps_alive = self.expects = False
        self.fault: tuple[int, str] | None = None
        self.is_admitted = False
        self.limit = limits.unasked  # grows once the sender is known
        self.framed = 0  # bytes of the body as received, with chunk framing
        self.size = 0  # of the body
        self.buffer: list[bytes] = []
        self.buffered = 0
        self.file: IO[bytes] | None = None
        self.held_until = 0.0

    def add_header(self, name: bytes, value: bytes) -> None:
        if self.has_headers:
            return  # a trailer, which is ignored
        self.header_bytes += len(name) + len(value)
        self.headers.append((name.decode("latin-1").upper(), value.decode("latin-1").strip()))

    def add_body(self, data: bytes) -> None:
        self.buffer.append(data)
        self.buffered += len(data)
        self.size += len(data)

    def end_headers(self, method: str, version: str, limits: Limits) -> None:
        self.method, self.version, self.has_headers = method, version, True
        values: dict[str, list[str]] = {}
        for name, value in self.headers:
            values.setdefault(name, []).append(value)
        coding = ", ".join(values.get("TRANSFER-ENCODING", ())).lower()
        if "CONTENT-LENGTH" in values:
            self.length = int(values["CONTENT-LENGTH"][0])  # the parser accepts digits only
        elif not coding:
            self.length = 0
        expected = ", ".join(values.get("EXPECT", ())).lower() if version != "1.0" else ""
        self.expects = expected == "100-continue"
        if self.header_bytes + len(self.target) > limits.header_bytes:
            self.fault = (
                431,
                f"The address and headers are longer than {limits.header_bytes} bytes.",
            )
        elif version not in VERSIONS:
            self.fault = 505, f"HTTP/{version} is not spoken here, only HTTP/1.1 and HTTP/1.0."
        elif "TRANSFER-ENCODING" in values and version == "1.0":
            # HTTP/1.0 proxies do not know chunks, and may see another end of this request than we
            # do.
            self.fault = 400, "HTTP/1.0 has no Transfer-Encoding: send a Content-Length."
        elif coding not in ("", "chunked"):
            self.fault = 501, f"Transfer-Encoding {coding[:80]!r} is not known here, only chunked."
        elif method not in METHODS:
            self.fault = 405, f"The method {method[:20]!r} is not known here."
        elif len(values.get("HOST", ())) != 1 and (version != "1.0" or "HOST" in values):
            self.fault = 400, "A request needs one Host header."
        elif expected and not self.expects:
            self.fault = 417, "Only Expect: 100-continue is known here."
        elif not self.split_target():
            self.fault = 400, "The address of the request cannot be read."

    def split_target(self) -> bool:
        """Split into path, query and, in the absolute form that proxies send, host. False if it
        cannot be read."""
        target = self.target.decode("latin-1")
        if not target.startswith("/"):  # the absolute form, or `OPTIONS *`
            try:
                parts = urlsplit(target)
            except ValueError:
                return False
            self.authority = parts.netloc
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.path, _, query = target.partition("?")
        self.query = query.partition("#")[0]
        return True

    def bare_head(self) -> bytes:
        """The headers that say how long the body is and what follows it."""
        body = (
            "Transfer-Encoding: chunked"
            if self.length is None
            else f"Content-Length: {self.length}"
        )
        close = any(
            "CLOSE" in value.upper() for name, value in self.headers if name == "CONNECTION"
        )
        connection = "close" if close else "keep-alive"
        lines = [f"{self.method} / HTTP/{self.version}", body, f"Connection: {connection}", "", ""]
        return "\r\n".join(lines).encode("latin-1")

    @property
    def wait_seconds(self) -> float:
        """The seconds of `Prefer: wait=<seconds>` (RFC 7240)."""
        if self.method != "GET" or self.size:
            return 0.0
        for name, value in self.headers:
            found = WAIT.search(value) if name == "PREFER" else None
            if found is not None:
                return float(found[1])
        return 0.0

    @property
    def is_large(self) -> bool:
        """Whether the body is so large that its sender is checked first."""
        return max(self.length or 0, self.size) > self.limit

    @property
    def has_too_many_chunks(self) -> bool:
        """Whether chunk framing takes more bytes than any client would use."""
        return self.length is None and self.framed > 64 * 1024 + 16 * self.size

    def take(self) -> list[bytes]:
        """What is in memory, which the caller then keeps. More may arrive meanwhile."""
        pieces, self.buffer, self.buffered = self.buffer, [], 0
        return pieces

    def spool(self, pieces: list[bytes], folder: str) -> None:
        """Write to a temporary file without a name, which ends with the request."""
        if self.file is None:
            self.file = TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the request
        self.file.writelines(pieces)

    def body(self) -> IO[bytes]:
        if self.file is None:
            return io.BytesIO(b"".join(self.buffer))
        self.file.writelines(self.buffer)
        self.file.seek(0)
        return self.file

    def close(self) -> None:
        if self.file is not None:
            self.file.close()

    def environ(self, place: dict, body: IO[bytes] | None) -> dict:
        """PEP 3333; `place` holds what all requests of a connection share. The gate is asked
        without a body."""
        environ = place | {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(self.path.encode("latin-1")).decode("latin-1"),
            "QUERY_STRING": self.query,
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            "wsgi.input": body,
        }
        for name, value in self.headers:
            if "_" in name:
                continue  # it would become the same variable as the header with a dash
            key = name.replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = f"HTTP_{key}"
            if key in environ:
                value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"  # noqa: PLW2901
            environ[key] = value
        if self.authority:  # it overrides the Host header (RFC 9112, 3.2.2)
            environ["HTTP_HOST"] = self.authority
        if self.length is None:  # Django takes a body without a length for empty
            environ["CONTENT_LENGTH"] = str(self.size)
        return environ


def place_of(transport, scheme: str) -> dict:
    """Where requests of this connection came from and arrived."""
    here, there = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
    return {
        "SERVER_NAME": here[0],
        "SERVER_PORT": str(here[1]),
        "REMOTE_ADDR": there[0],
        "REMOTE_PORT": str(there[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }

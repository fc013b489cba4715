"""The server in this process, on a port of its own, before a small application."""

import asyncio
import json
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from studio.front.limits import Limits
from studio.front.server import Refusal, Server
from studio.front.threads import Threads

QUICK = Limits(window=1.0, idle=1.0, handshake=1.0, headers=1.0, linger=1.0, stop=1.0)


class OpenGate:
    """Lets everybody send up to 16 MiB, but for those who say that they are nobody."""

    limit = 16 * 1024 * 1024

    def admit(self, environ):
        if environ.get("HTTP_AUTHORIZATION") == "nobody":
            return self.refusal(401, "Nobody may.")
        return self.limit

    def too_large(self, limit):
        return self.refusal(413, f"At most {limit} bytes.")

    def refusal(self, status, reason):
        return Refusal(status, "application/json", json.dumps({"reason": reason}).encode())


@dataclass
class Served:
    server: Server
    port: int
    tls: ssl.SSLContext | None = None

    def connect(self, *, timeout: float = 10):
        plain = socket.socket()
        plain.settimeout(timeout)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # so that slow means slow
        plain.connect(("127.0.0.1", self.port))
        return self.tls.wrap_socket(plain, server_hostname="127.0.0.1") if self.tls else plain

    def call(self, raw: bytes, *, timeout: float = 10) -> bytes:
        """All that comes back until the server closes."""
        with self.connect(timeout=timeout) as stream:
            stream.sendall(raw)
            return read_all(stream)


def read_all(stream) -> bytes:
    parts = []
    while part := stream.recv(65536):
        parts.append(part)
    return b"".join(parts)


@contextmanager
def served(application, folder, *, limits=QUICK, gate=None, threads=2, tls=None, trust=None):
    """`tls`: a server's context, `trust`: a caller's."""
    started, running = threading.Event(), {}

    async def main():
        server = Server(
            application,
            gate=gate or OpenGate(),
            threads=Threads(threads),
            folder=folder,
            limits=limits,
        )
        running["port"] = await server.start("127.0.0.1", 0, tls=tls)
        running["server"] = server
        started.set()
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert started.wait(10)
    try:
        yield Served(running["server"], running["port"], trust)
    finally:
        with suppress(RuntimeError):  # a test may have stopped it, so that its loop is closed
            running["server"].loop.call_soon_threadsafe(running["server"].stop)
        thread.join(10)
        assert not thread.is_alive()

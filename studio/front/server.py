"""The listening socket, the looks at all connections, and the end."""

import asyncio
import logging
import resource
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from studio.front.connection import Connection
from studio.front.limits import Limits
from studio.front.requests import Request
from studio.front.secure import Secured
from studio.front.threads import Threads

logger = logging.getLogger(__name__)
BACKLOG = 1024
SPARE_FILES = 256  # for everything but connections
MOST_FILES = 65_536
# Of each answer the kernel keeps so much that was not taken: it would keep up to 4 MiB, and a thousand
# callers who read nothing would cost as many GiB.
SENT_AHEAD = 512 * 1024


@dataclass(frozen=True)
class Refusal:
    status: int
    kind: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Gate(Protocol):
    """Who may send a large body, and how refusals are worded."""

    def admit(self, environ: dict) -> int | Refusal:
        """How many bytes the body of this request may have. Asked in a thread, once it is larger than
        what anybody may send."""

    def too_large(self, limit: int) -> Refusal: ...

    def refusal(self, status: int, reason: str) -> Refusal: ...


class Server:
    """`await start()`, `await serve()`, `stop()` from the loop."""

    def __init__(
        self,
        application: Callable,
        *,
        gate: Gate,
        threads: Threads,
        folder: Path,
        limits: Limits | None = None,
    ):
        self.application, self.gate, self.threads = application, gate, threads
        self.folder = str(folder)
        self.limits = limits or Limits()
        self.connections: set = set()
        self.held: dict[Connection, Request] = {}  # reads that wait for news
        self.is_stopping = False

    async def start(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> int:
        """The port it listens on."""
        self.loop = asyncio.get_running_loop()
        self.most = raise_limit_of_files() - SPARE_FILES
        self.stopping = asyncio.Event()

        def connection():
            if tls is None:
                return Connection(self, scheme="http")
            return Secured(tls, Connection(self, scheme="https"))

        self.listener = await self.loop.create_server(connection, host, port, backlog=BACKLOG)
        for listening in self.listener.sockets:  # what it accepts inherits this
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD)
        return self.listener.sockets[0].getsockname()[1]

    async def serve(self) -> None:
        """Until `stop` was called and what was under way is over, or has had its time."""
        while not self.is_stopping:
            await self.wait(self.limits.look)
            self.look()
        self.listener.close()
        end = self.loop.time() + self.limits.stop
        while self.connections and self.loop.time() < end:
            for connection in list(self.connections):
                connection.stop()
            await asyncio.sleep(0.02)
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)  # the transports close their sockets

    async def wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            pass

    def stop(self) -> None:
        self.is_stopping = True
        self.stopping.set()

    # --- connections ----------------------------------------------------------------------------------
    def admit(self, connection) -> None:
        if len(self.connections) >= self.most:
            logger.warning("connection refused: %s are open", len(self.connections))
            connection.abort()
        else:
            self.connections.add(connection)

    def forget(self, connection) -> None:
        self.connections.discard(connection)

    def may_hold(self, request: Request) -> bool:
        """Whether a read may wait for news still; asked in a thread each time it is read."""
        if not (wanted := request.wait_seconds) or self.is_stopping:
            return False
        now = self.loop.time()
        if not request.held_until:
            if len(self.held) >= self.limits.most_held:
                return False
            request.held_until = now + min(wanted, self.limits.held)
        return now < request.held_until

    def ask_again(self) -> float:
        """The more there are, the less often each is read: all of them together 100 times a second."""
        return max(self.limits.ask_again, len(self.held) / 100)

    def look(self) -> None:
        now = self.loop.time()
        for connection in list(self.connections):
            connection.check(now)


def raise_limit_of_files() -> int:
    """To what this process may have; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS has a lower bound of its own
            return soft
        return wanted
    return soft if soft != resource.RLIM_INFINITY else wanted

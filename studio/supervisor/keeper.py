"""The keeper: a fork of `up` that ends every child when `up` dies, even by SIGKILL.

`up` sends it the process groups through a pipe, `+<group>` and `-<group>`, one per line; end of
file means that `up` has ended. It also holds the lock of the data folder until the last child is
gone.
"""

import os
import signal

from studio.supervisor import groups

GRACE_SECONDS = 8.0
MOST_DESCRIPTORS = 1024


class Keeper:
    """The keeper as `up` sees it."""

    def __init__(self, *, lock: int):
        self.lock = lock
        self.pid = 0
        self.pipe = -1

    def start(self, known: list[int]) -> None:
        if self.pipe >= 0:
            os.close(self.pipe)
        reading, self.pipe = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _keep(reading, lock=self.lock)
        os.close(reading)
        for group in known:
            self.tell(f"+{group}")

    def tell(self, line: str) -> None:
        try:
            os.write(self.pipe, f"{line}\n".encode())
        except BrokenPipeError:
            return  # it died: the supervisor starts another and tells it everything

    def stop(self) -> None:
        """Kill it: without `up`, its pipe would make it end the children."""
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass  # it had already ended
        os.close(self.pipe)
        self.pipe = -1


def _keep(stream: int, *, lock: int) -> None:
    """Runs in the fork; never returns."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _close_all_but(
            stream, lock
        )  # above all the pipe's other end: open here, it would hide end of file
        groups.end(_hear(stream), grace_seconds=GRACE_SECONDS)
    finally:
        os._exit(0)


def _hear(stream: int) -> set[int]:
    """The groups that are known when `up` has ended."""
    known, pending = set(), b""
    while data := os.read(stream, 4096):
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            group = int(line[1:])
            known.add(group) if line[:1] == b"+" else known.discard(group)
    return known


def _close_all_but(*kept: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    first = 3
    for descriptor in sorted(kept):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, MOST_DESCRIPTORS)

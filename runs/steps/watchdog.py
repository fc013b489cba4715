"""The watchdog: a small process beside each worker that kills the worker's steps when it dies or freezes.

It is started as a script of its own and uses the standard library only. Its worker talks to it
through its standard input, one line each: `+<group> <mark>` a step's process group has started, and
how its processes are marked in their environment; `-<group>` it is over; `.` I am alive. On end of
file, or after as many seconds without a line as its argument says, every group still known is killed.
"""

import os
import selectors
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path


class Watchdog:
    def __init__(self, stream: int, *, silence_seconds: float):
        self.stream = stream
        self.silence_seconds = silence_seconds
        self.groups: dict[int, str] = {}
        self.pending = b""

    def run(self) -> None:
        """Return at end of file; nothing that was started is left then."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.stream, selectors.EVENT_READ)
            while True:
                if not selector.select(self.silence_seconds):
                    self.kill_all()
                    continue
                data = os.read(self.stream, 65536)
                if not data:
                    break
                self.hear(data)
        self.kill_all()

    def hear(self, data: bytes) -> None:
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            sign, rest = line[:1], line[1:].decode()
            if sign == b"+":
                group, _, mark = rest.partition(" ")
                self.groups[int(group)] = mark
            elif sign == b"-":
                self.groups.pop(int(rest), None)

    def kill_all(self) -> None:
        for group in self.groups:
            kill_group(group)
        kill_marked(*filter(None, self.groups.values()))
        self.groups.clear()


def kill_group(group: int) -> None:
    """End every process of the group at once; one that is over already is fine."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def kill_marked(*marks: str) -> None:
    """End what left its group but still carries a mark in its environment, or works in the folder
    of the attempt that a mark names (where /proc tells)."""
    wanted = set(marks)
    homes = tuple(os.path.dirname(mark.partition("=")[2]) + "/" for mark in marks)  # noqa: PTH120
    kill_where(lambda cwd, environ: cwd.startswith(homes) or not wanted.isdisjoint(environ()))


def kill_where(is_one: Callable[[str, Callable[[], list[str]]], bool]) -> list[int]:
    """End the processes that a condition finds by the folder they work in, or their environment."""
    killed = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # A process that was forked and never replaced shows its server's environment there.
            if is_one(f"{os.readlink(folder / 'cwd')}/", partial(_environ, folder)):  # noqa: PTH115
                os.kill(int(folder.name), signal.SIGKILL)
                killed.append(int(folder.name))
        except OSError:
            continue
    return killed


def _environ(folder: Path) -> list[str]:
    return os.fsdecode((folder / "environ").read_bytes()).split("\0")


def main() -> None:
    # Its end is its worker's end: signals meant for the whole tree must not end it before.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    Watchdog(sys.stdin.fileno(), silence_seconds=float(sys.argv[1])).run()


if __name__ == "__main__":
    main()

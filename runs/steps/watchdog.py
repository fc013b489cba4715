"""The watchdog: a small process beside each worker that kills the worker's steps when it dies or freezes.

It is started as a separate script and uses the standard library only. Its worker sends it lines through
standard input: `+<group> <mark>` when a step's process group has started, with the mark in the
environment of its processes; `-<group>` when it has ended; `.` as a heartbeat. At end of file, or after
a silence of as many seconds as its argument says, it kills every group that has not ended.
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
        """Return at end of file, after killing all groups that remain."""
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
    """Kill every process of the group; does nothing if the group has ended."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def kill_marked(*marks: str) -> None:
    """Kill processes that left their group but have a mark in their environment, or whose current folder
    is in the folder of the attempt that a mark names (only where there is /proc)."""
    wanted = set(marks)
    homes = tuple(os.path.dirname(mark.partition("=")[2]) + "/" for mark in marks)  # noqa: PTH120
    kill_where(lambda cwd, environ: cwd.startswith(homes) or not wanted.isdisjoint(environ()))


def kill_where(is_one: Callable[[str, Callable[[], list[str]]], bool]) -> list[int]:
    """Kill the processes for which a condition on current folder and environment is true; returns their
    pids."""
    killed = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # A forked script shows its server's environment in /proc, so check its folder, too.
            if is_one(f"{os.readlink(folder / 'cwd')}/", partial(_environ, folder)):  # noqa: PTH115
                os.kill(int(folder.name), signal.SIGKILL)
                killed.append(int(folder.name))
        except OSError:
            continue
    return killed


def _environ(folder: Path) -> list[str]:
    return os.fsdecode((folder / "environ").read_bytes()).split("\0")


def main() -> None:
    # It must outlive its worker, so ignore signals that are sent to the whole process tree.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    Watchdog(sys.stdin.fileno(), silence_seconds=float(sys.argv[1])).run()


if __name__ == "__main__":
    main()

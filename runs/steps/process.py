"""A step's child process: in a process group of its own, waited for without polling, ended for sure."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runs.guard import kill_group, kill_marked
from runs.steps.base import Stop, StopFlag

TICK_SECONDS = 0.5
# Where the operating system cannot tell of a process's end through a descriptor, it is asked this often.
ASK_SECONDS = 0.02


@dataclass(frozen=True)
class Ended:
    exit_code: int
    stop: Stop | None


class StepProcess:
    """`mark` is the entry of its environment that no other process carries."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        mark: str = "",
    ):
        self.mark = mark
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self.process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        finally:
            os.close(output)

    @property
    def group(self) -> int:
        return self.process.pid

    def wait(
        self,
        flag: StopFlag,
        *,
        on_start: Callable[[], None] = lambda: None,
        on_tick: Callable[[], object] = lambda: None,
        grace_seconds: Callable[[], float],
        deadline: float | None = None,
    ) -> Ended:
        """Return when the process has ended and nothing of its group is left.

        `deadline` is a `time.monotonic()`; past it the step is stopped as timed out. `on_start` is
        called once and `on_tick` every half second while it runs.
        """
        watch = _Watch(self.process.pid, flag)
        kill_at = None
        next_tick = time.monotonic() + TICK_SECONDS
        try:
            on_start()
            while not watch.ended(_soonest(next_tick, deadline, kill_at)):
                now = time.monotonic()
                if deadline is not None and now >= deadline:
                    deadline = None
                    flag.ask(Stop.TIMED_OUT)
                if flag and kill_at is None:
                    watch.ignore_flag()
                    kill_at = now + grace_seconds()
                    self._signal(signal.SIGTERM)
                elif kill_at is not None and now >= kill_at:
                    kill_at = now + 1
                    self._signal(signal.SIGKILL)
                if now >= next_tick:
                    next_tick = now + TICK_SECONDS
                    on_tick()
        finally:
            watch.close()
            exit_code = self._reap(flag)
        return Ended(exit_code, flag.reason)

    def _reap(self, flag: StopFlag) -> int:
        """End what the step left behind while its group's number is still taken by its own zombie."""
        kill_group(self.group)
        if flag:
            kill_marked(self.mark)
        return self.process.wait()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.group, number)
        except ProcessLookupError:
            return


def _soonest(*moments: float | None) -> float:
    return min(moment for moment in moments if moment is not None)


class _Watch:
    """Waits for the end of a child or for a flag, whichever comes first."""

    def __init__(self, pid: int, flag: StopFlag):
        self.pid = pid
        self.flag = flag
        self.poll = select.poll()
        self.poll.register(flag, select.POLLIN)
        self.descriptor = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        if self.descriptor is not None:
            self.poll.register(self.descriptor, select.POLLIN)

    def ended(self, until: float) -> bool:
        """True as soon as the process has ended; False at `until`, or when the flag was raised."""
        while True:
            left = max(0.0, until - time.monotonic())
            wait = left if self.descriptor is not None else min(left, ASK_SECONDS)
            events = dict(self.poll.poll(wait * 1000 + 1))
            if self._is_over(events):
                return True
            if events or left <= wait:
                return False

    def _is_over(self, events: dict) -> bool:
        if self.descriptor is not None:
            return self.descriptor in events
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def ignore_flag(self) -> None:
        """It stays raised; from now on only the process's end is waited for."""
        self.poll.unregister(self.flag)

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)

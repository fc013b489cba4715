"""A step's child process: it gets its own process group, is waited for without polling, and is always
killed at the end."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runs.steps import forkserver
from runs.steps.base import Stop, StopFlag
from runs.steps.forking import NOT_READ, SERVERS
from runs.steps.watchdog import kill_group, kill_marked

TICK_SECONDS = 0.5
LASTING_SECONDS = 0.05  # shorter processes need not be shown as running
# The polling interval on systems without a descriptor for a process's end.
ASK_SECONDS = 0.02


@dataclass(frozen=True)
class Ended:
    """How a process ended. `exit_code` is None if the parent that would have reported it was killed."""

    exit_code: int | None
    stop: Stop | None


class Child(Protocol):
    """A started process. Its descriptor turns readable when it ends; -1 if there is none."""

    pid: int

    def fileno(self) -> int: ...

    def has_ended(self) -> bool: ...

    def wake(self) -> None:
        """Resume the parent that reports its end, in case somebody has stopped it."""

    def collect(self) -> int | None:
        """Its exit code, after its process group was ended; None if the parent was killed."""


class Spawned:
    """A direct child of this process, used where the fork server does not work. Descendants that leave its
    group are found by their mark."""

    def __init__(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: int):
        self._process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._descriptor = os.pidfd_open(self.pid) if hasattr(os, "pidfd_open") else -1

    def fileno(self) -> int:
        return self._descriptor

    def has_ended(self) -> bool:
        # With a descriptor, do not call `poll`: it would reap the process, and its group must be killed
        # before its pid is free.
        return self._descriptor >= 0 or self._process.poll() is not None

    def wake(self) -> None:
        """There is no parent in between."""

    def collect(self) -> int:
        kill_group(self.pid)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        return self._process.wait()


def start(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    warm: Path | None = None,
) -> Child:
    """Start a step's process and write its output to the file `log`. If `argv` is a script of the
    interpreter `warm`, it is forked from a running one if possible."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        forked = None
        if warm is not None:
            forked = SERVERS.fork(warm, argv[1:], cwd=cwd, env=env, log=output)
            if forked is None:
                order = _write_order(log.with_name("order"), argv[1:], cwd=cwd, env=env)
                argv = [str(warm), forkserver.__file__, "once", str(order)]
                env = {name: value for name, value in env.items() if name not in NOT_READ}
        forked = forked or SERVERS.spawn(argv, cwd=cwd, env=env, log=output)
        return forked or Spawned(argv, cwd=cwd, env=env, log=output)
    finally:
        os.close(output)


def _write_order(path: Path, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Path:
    """Write a script's order to a file, because the length of a command line is limited."""
    order = forkserver.packed(forkserver.SCRIPT, str(cwd), argv, env)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(order)
    return path


class StepProcess:
    """A step's running process. `mark` is an environment entry that only its processes have."""

    def __init__(self, child: Child, *, mark: str = ""):
        self.child = child
        self.mark = mark

    @property
    def group(self) -> int:
        return self.child.pid

    def wait(
        self,
        flag: StopFlag,
        *,
        on_lasting: Callable[[], None] = lambda: None,
        on_tick: Callable[[], object] = lambda: None,
        grace_seconds: Callable[[], float],
        deadline: float | None = None,
    ) -> Ended:
        """Return when the process and its whole group have ended.

        After `deadline` (a `time.monotonic()`) the step is stopped as timed out. `on_lasting` is called
        once, after `LASTING_SECONDS`, and `on_tick` every half second.
        """
        watch = _Watch(self.child, flag)
        kill_at = None
        lasting_at: float | None = time.monotonic() + LASTING_SECONDS
        next_tick = time.monotonic() + TICK_SECONDS
        ended = False
        try:
            while not watch.ended(_soonest(next_tick, lasting_at, deadline, kill_at)):
                now = time.monotonic()
                if lasting_at is not None and now >= lasting_at:
                    lasting_at = None
                    on_lasting()
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
                    self.child.wake()
                    on_tick()
            ended = True
        finally:
            if not ended:  # a callback raised an error: leave no process behind
                kill_group(self.group)
            if flag and self.mark:
                kill_marked(self.mark)
            exit_code = self.child.collect()
        return Ended(exit_code, flag.reason)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.group, number)
        except ProcessLookupError:
            return


def _soonest(*moments: float | None) -> float:
    return min(moment for moment in moments if moment is not None)


class _Watch:
    """Waits for the end of a child or for a flag, whichever comes first."""

    def __init__(self, child: Child, flag: StopFlag):
        self.child = child
        self.flag = flag
        self.poll = select.poll()
        self.poll.register(flag, select.POLLIN)
        self.descriptor = child.fileno()
        if self.descriptor >= 0:
            self.poll.register(self.descriptor, select.POLLIN)

    def ended(self, until: float) -> bool:
        """True as soon as the process has ended; False at `until`, or when the flag is set."""
        while True:
            left = max(0.0, until - time.monotonic())
            wait = left if self.descriptor >= 0 else min(left, ASK_SECONDS)
            events = dict(self.poll.poll(wait * 1000 + 1))
            may_have_ended = self.descriptor in events or self.descriptor < 0
            if may_have_ended and self.child.has_ended():
                return True
            if events or left <= wait:
                return False

    def ignore_flag(self) -> None:
        """Wait only for the process from now on; otherwise the set flag would end every wait at once."""
        self.poll.unregister(self.flag)

"""The loop that starts the children, restarts those that crashed, and ends them all.

Children are forks of `up`, which has imported Django and Celery once: that halves the memory of the
tree and the time to start it. So the loop is single-threaded, opens neither database nor broker
itself, and keeps only plain descriptors open across a fork.
"""

import io
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from studio.supervisor import groups
from studio.supervisor.keeper import MOST_DESCRIPTORS, Keeper
from studio.supervisor.logs import LogFile

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
SETTLED_SECONDS = 60.0  # after running this long, a restart begins with the first delay again
STOP_SECONDS = 8.5  # a worker needs 5 for its steps; everything must end within 10
LAST_STOP_SECONDS = 1.0
LOOK_SECONDS = 1.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """`up` was asked to stop while it waited for something."""


@dataclass
class Child:
    """A process to keep running. `run` is called in the fork; when it returns, the process ends."""

    name: str
    run: Callable[[], object]
    log: LogFile
    ends_last: bool = False
    pid: int = 0
    started_at: float = 0.0
    crashes: int = 0
    start_at: float = 0.0
    last_words: str = ""


@dataclass
class Errand:
    """A process that does one thing and ends; its standard output is its answer."""

    name: str
    run: Callable[[], object]
    log: LogFile
    pid: int = 0
    output: int = -1
    status: int | None = None


@dataclass
class Supervisor:
    lock: int
    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    errands: dict[int, Errand] = field(default_factory=dict)
    stopping: int = 0

    def __post_init__(self) -> None:
        self.keeper = Keeper(lock=self.lock)
        self.woken, waker = os.pipe()
        for descriptor in (self.woken, waker):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # ignored under nohup
                signal.signal(number, self._ask_to_stop)
        groups.adopt_orphans()
        self._start_keeper()

    def _ask_to_stop(self, number: int, frame: object) -> None:
        self.stopping += 1

    # --- starting ------------------------------------------------------------------------------
    def add(self, child: Child) -> None:
        self.children.append(child)
        self._start(child)

    def _start(self, child: Child) -> None:
        descriptor = child.log.open()
        child.pid = self._fork(child.name, child.run, output=descriptor, errors=descriptor)
        os.close(descriptor)
        child.started_at, child.start_at = time.monotonic(), 0.0

    def begin(self, errand: Errand) -> None:
        errors = errand.log.open()
        errand.output, output = os.pipe()
        errand.pid = self._fork(errand.name, errand.run, output=output, errors=errors)
        self.errands[errand.pid] = errand
        os.close(output)
        os.close(errors)

    def finish(self, errand: Errand) -> str:
        """Wait for its end; returns its answer. The caller checks `status`."""
        while errand.status is None:
            self.wait(LOOK_SECONDS)
        try:
            return os.read(errand.output, 65536).decode()
        finally:
            os.close(errand.output)

    def _fork(self, name: str, run: Callable[[], object], *, output: int, errors: int) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _become(name, run, output=output, errors=errors)
        # Parent and child both do it, so that a signal always finds the group.
        try:
            os.setpgid(pid, pid)
        except (PermissionError, ProcessLookupError):
            pass  # it has already done so, or has ended
        self.keeper.tell(f"+{pid}")
        return pid

    def renew_keeper(self) -> None:
        """Fork it again with what is shared by now: the first one costs memory for every page we
        changed."""
        self.keeper.stop()
        self._start_keeper()

    def _start_keeper(self) -> None:
        self.keeper.start([*(child.pid for child in self.children), *self.errands])

    # --- running -------------------------------------------------------------------------------
    def run_forever(self) -> None:
        try:
            while True:
                self.wait(LOOK_SECONDS)
        except Stopped:
            return

    def wait(self, seconds: float) -> None:
        """One turn of the loop: until something happens, at most `seconds`; raises Stopped."""
        due = [child.start_at - time.monotonic() for child in self.children if child.start_at]
        self._sleep(max(0.0, min([seconds, *due])))
        if self.stopping:
            raise Stopped
        self._reap()
        for child in self.children:
            if child.start_at and child.start_at <= time.monotonic():
                self._start_again(child)
        for child in self.children:
            for line in child.log.trouble():
                self.say(f"{child.name} | {line}")

    def _sleep(self, seconds: float) -> None:
        if select.select([self.woken], [], [], seconds)[0]:
            os.read(self.woken, 4096)

    def _reap(self) -> None:
        for pid, status in _ended():
            code = os.waitstatus_to_exitcode(status)
            if pid == self.keeper.pid:
                self.say("keeper ended; starting another")
                self._start_keeper()
            elif errand := self.errands.pop(pid, None):
                errand.status = code
                self._forget(pid)
            elif child := next((child for child in self.children if child.pid == pid), None):
                self._note_crash(child, code)

    def _note_crash(self, child: Child, code: int) -> None:
        settled = time.monotonic() - child.started_at > SETTLED_SECONDS
        child.crashes = 1 if settled else child.crashes + 1
        delay = min(FIRST_DELAY_SECONDS * 2 ** (child.crashes - 1), LONGEST_DELAY_SECONDS)
        child.start_at = time.monotonic() + delay
        groups.send(child.pid, signal.SIGTERM)  # for children that it may have left
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        line = f"{child.name} (pid {child.pid}) ended with {how}; starting again in {delay:g} s"
        child.last_words = child.log.last_line()
        child.log.write(line)
        self.say(line)

    def _start_again(self, child: Child) -> None:
        groups.send(child.pid, signal.SIGKILL)
        self._forget(child.pid)
        self._start(child)

    def _forget(self, group: int) -> None:
        self.keeper.tell(f"-{group}")

    # --- stopping ------------------------------------------------------------------------------
    def stop(self) -> None:
        """End everything within 10 s, the broker last, since the others still use it. A second
        Ctrl-C does not wait."""
        self.stopping = 0
        for errand in self.errands.values():
            groups.send(errand.pid, signal.SIGKILL)
        self._end([c for c in self.children if not c.ends_last], seconds=STOP_SECONDS)
        self._end([c for c in self.children if c.ends_last], seconds=LAST_STOP_SECONDS)
        self._end_orphans()
        self.keeper.stop()

    def _end(self, children: list[Child], *, seconds: float) -> None:
        living = [child.pid for child in children if groups.send(child.pid, signal.SIGTERM)]
        deadline = time.monotonic() + seconds
        while living and time.monotonic() < deadline and not self.stopping:
            self._sleep(0.05)
            _ended()
            living = [pid for pid in living if groups.is_alive(pid)]
        for pid in living:
            groups.send(pid, signal.SIGKILL)

    def _end_orphans(self) -> None:
        """Processes that left their group and lost their parent are ours now: wait a moment, then
        end them."""
        patient_until = time.monotonic() + 0.5
        while left := [pid for pid in groups.children() if pid != self.keeper.pid]:
            if time.monotonic() > patient_until:
                for pid in left:
                    os.kill(pid, signal.SIGKILL)
            self._sleep(0.02)
            _ended()


def _ended() -> list[tuple[int, int]]:
    """Every child that has ended since the last call, with its status."""
    found: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        found.append((pid, status))


def _become(name: str, run: Callable[[], object], *, output: int, errors: int) -> None:
    """Runs in the fork: release what belongs to `up`, do the work, never return."""
    code = 1
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, *STOP_SIGNALS):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (errors, 2)):
            os.dup2(source, target)
        os.closerange(3, MOST_DESCRIPTORS)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)
        _show_name(name)
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - a fork must never run on into the code of `up`
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _show_name(name: str) -> None:
    """Make `ps -o comm` and `top` show the name (Linux)."""
    try:
        Path("/proc/self/comm").write_text(f"studio-{name}"[:15])
    except OSError:
        return

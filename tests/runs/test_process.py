"""Steps as a worker does them: real scripts in real processes."""

import os
import signal
import subprocess
import sys
import time
from threading import Timer

import pytest

from runs.steps import Stop, StopFlag, watchdog
from runs.steps.process import StepProcess, start
from runs.worker.process import WatchdogProcess
from tests.runs.processes import is_running

SLEEP = "import time; print('sleeping', flush=True); time.sleep(3600)"


class TestProcess:
    def process(self, tmp_path, code: str) -> StepProcess:
        return StepProcess(
            start([sys.executable, "-c", code], cwd=tmp_path, env={}, log=tmp_path / "log")
        )

    def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(self, tmp_path):
        code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(99)"
        process, flag = self.process(tmp_path, code), StopFlag()

        def tick():
            if (tmp_path / "log").read_bytes():
                flag.ask(Stop.CANCELED)

        ended = process.wait(flag, on_tick=tick, grace_seconds=lambda: 0.2)
        flag.close()
        assert (ended.exit_code, ended.stop) == (-signal.SIGKILL, Stop.CANCELED)

    def test_the_first_reason_to_stop_stays(self):
        flag = StopFlag()
        flag.ask(Stop.TIMED_OUT)
        flag.ask(Stop.CANCELED)
        flag.close()
        flag.ask(Stop.CANCELED)
        assert flag.reason == Stop.TIMED_OUT

    def test_a_broken_tick_leaves_no_process(self, tmp_path):
        process, flag = self.process(tmp_path, SLEEP), StopFlag()
        with pytest.raises(ZeroDivisionError):
            process.wait(flag, on_lasting=lambda: 1 / 0, grace_seconds=lambda: 1)
        flag.close()
        assert not is_running(process.group)


class TestGuard:
    def sleeper(self, **env) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(99)"], start_new_session=True, env=env
        )

    def test_it_kills_the_groups_it_knows_when_its_worker_is_gone(self):
        known, forgotten = self.sleeper(), self.sleeper()
        watched = WatchdogProcess()
        watched.watch(known.pid, "")
        watched.watch(forgotten.pid, "")
        watched.forget(forgotten.pid)
        watched.close()
        assert known.wait(5) == -signal.SIGKILL
        assert forgotten.poll() is None
        forgotten.kill()
        forgotten.wait()

    def test_it_kills_what_left_the_group_but_carries_the_mark(self):
        escaped = self.sleeper(STUDIO_FACTS_DIR="/some/attempt")
        watched = WatchdogProcess()
        group = self.sleeper()
        watched.watch(group.pid, "STUDIO_FACTS_DIR=/some/attempt")
        watched.close()
        assert escaped.wait(5) == group.wait(5) == -signal.SIGKILL

    def test_it_kills_what_left_the_group_but_works_in_the_attempts_folder(self, tmp_path):
        code = tmp_path / "attempt" / "code"
        code.mkdir(parents=True)
        beside = tmp_path / "attempt-2"
        beside.mkdir()
        escaped, other = (
            subprocess.Popen([sys.executable, "-c", SLEEP], cwd=place, start_new_session=True)
            for place in (code, beside)
        )
        watchdog.kill_marked(f"STUDIO_FACTS_DIR={tmp_path}/attempt/facts")
        assert escaped.wait(5) == -signal.SIGKILL
        assert other.poll() is None
        other.kill()
        other.wait()

    def test_it_kills_after_silence(self):
        reading, writing = os.pipe()
        sleeper = self.sleeper()
        os.write(writing, f"+{sleeper.pid} \n".encode())
        heart = watchdog.Watchdog(reading, silence_seconds=0.05)
        Timer(0.3, os.close, [writing]).start()
        started = time.monotonic()
        heart.run()
        assert sleeper.wait(1) == -signal.SIGKILL
        assert time.monotonic() - started >= 0.25
        os.close(reading)

    def test_a_guard_that_was_killed_is_replaced_and_knows_the_groups(self):
        sleeper = self.sleeper()
        watched = WatchdogProcess()
        watched.watch(sleeper.pid, "")
        watched.process.kill()
        watched.process.wait()
        watched.ping()
        watched.ping()
        watched.close()
        assert sleeper.wait(5) == -signal.SIGKILL

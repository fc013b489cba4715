"""A forked script is what `python script` would be."""

import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from runs.guard import kill_group
from runs.steps import StopFlag
from runs.steps.forking import Servers
from runs.steps.process import StepProcess
from tests.runs.processes import gone_soon

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")
BASE = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def servers():
    found = Servers()
    yield found
    found.close()


@pytest.fixture
def run(servers, tmp_path):
    """Run a script to its end: `(exit code, what it printed)`."""
    count = 0

    def script(text: str, *arguments: str, **env: str):
        nonlocal count
        count += 1
        (tmp_path / "script.py").write_text(textwrap.dedent(text))
        log = tmp_path / f"log{count}"
        with log.open("wb") as file:
            child = servers.fork(
                Path(sys.executable),
                ["script.py", *arguments],
                cwd=tmp_path,
                env={**BASE, **env},
                log=file.fileno(),
            )
        flag = StopFlag()
        ended = StepProcess(child).wait(flag, grace_seconds=lambda: 1)
        flag.close()
        return ended.exit_code, log.read_text()

    return script


def test_arguments_folder_and_environment_are_the_scripts_own(run, tmp_path):
    code, said = run(
        "import os, sys; print(sys.argv, os.getcwd(), dict(os.environ), __name__, __file__)",
        "--x",
        "1",
        ONE="1",
    )
    environment = {**BASE, "ONE": "1"}
    assert (code, said) == (
        0,
        f"['script.py', '--x', '1'] {tmp_path} {environment} __main__ {tmp_path}/script.py\n",
    )


def test_the_path_starts_with_its_folder_and_what_was_added(run, tmp_path):
    _, said = run("import sys; print(sys.path[:2])", PYTHONPATH="/added")
    assert said == f"{[str(tmp_path), '/added']}\n"


def test_one_script_leaves_nothing_to_the_next(run):
    run("import sys, os; sys.modules['leak'] = 1; os.environ['LEAK'] = '1'; leak = 1")
    _, said = run("import sys, os; print('leak' in sys.modules, 'LEAK' in os.environ)")
    assert said == "False False\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import sys; sys.exit(7)", 7),
        ("raise SystemExit('why')", 1),
        ("import os; os._exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("1/0", 1),
        ("this is no python", 1),
    ],
)
def test_exit_codes(run, text, code):
    assert run(text)[0] == code


def test_a_traceback_shows_the_script_alone(run):
    _, said = run("def f():\n    raise ValueError('boom')\nf()")
    assert said.startswith('Traceback (most recent call last):\n  File "')
    assert said.endswith("ValueError: boom\n")
    assert "forkserver" not in said


def test_stdin_is_empty_and_exit_handlers_run(run):
    text = "import atexit, sys; atexit.register(print, 'bye'); print(repr(sys.stdin.read()))"
    assert run(text)[1] == "''\nbye\n"


def test_threads_and_processes_of_the_script_work(run):
    code, said = run(
        """
        import multiprocessing, threading
        def twice(n): return 2 * n
        if __name__ == "__main__":
            threading.Thread(target=print, args=("thread",)).start()
            for way in ("fork", "spawn"):
                with multiprocessing.get_context(way).Pool(1) as pool:
                    print(pool.map(twice, [1, 2]))
        """
    )
    assert (code, sorted(said.splitlines())) == (0, ["[2, 4]", "[2, 4]", "thread"]), said


def test_other_variables_of_the_interpreter_get_another_one(run):
    assert run("import sys; print(sys.flags.optimize)", PYTHONOPTIMIZE="1")[1] == "1\n"
    assert run("import sys; print(sys.flags.optimize)")[1] == "0\n"


def test_a_server_that_died_is_replaced(run, servers):
    run("")
    (server,) = servers._known.values()
    kill_group(server.process.pid)
    server.process.wait()
    assert run("print(1)") == (0, "1\n")


def test_what_the_script_left_in_its_group_is_ended(run):
    _, said = run(
        """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)"])
        print(child.pid)
        """
    )
    assert gone_soon(int(said))

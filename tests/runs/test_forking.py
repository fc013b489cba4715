"""A forked script is what `python script` would be."""

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import pytest

from runs.steps import StopFlag
from runs.steps.forking import Servers
from runs.steps.process import StepProcess
from runs.steps.watchdog import kill_group
from tests.runs.processes import is_running, wait_for_end

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")
BASE = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


# What no mark, no folder, no group and no session tells from any other process.
DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    open(sys.argv[1], "w").write(str(os.getpid()))
    os.execve(sys.executable, ["daemon", "-c", "import time; time.sleep(600)"], {})
while not (os.path.exists(sys.argv[1]) and open(sys.argv[1]).read()):
    pass
"""


@pytest.fixture
def servers(request):
    found = Servers(answer_seconds=getattr(request, "param", 30.0))
    yield found
    found.close()


@pytest.fixture
def begin(servers, tmp_path):
    """Start a script: its process, and its log."""
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
        return child, log

    return script


@pytest.fixture
def run(begin):
    """Run a script to its end: `(exit code, what it printed)`."""

    def script(text: str, *arguments: str, **env: str):
        child, log = begin(text, *arguments, **env)
        return finish(child), log.read_text()

    return script


def finish(child) -> int | None:
    flag = StopFlag()
    ended = StepProcess(child).wait(flag, grace_seconds=lambda: 1)
    flag.close()
    return ended.exit_code


def only_server(servers):
    (server,) = servers._known.values()
    return server.process


TRACER = """
import ctypes, os, sys
pid = int(sys.argv[1])
if ctypes.CDLL(None).ptrace(16, pid, 0, 0):
    sys.exit("no")
os.waitpid(pid, 0)
print("stopped", flush=True)
sys.stdin.read()
"""


@contextmanager
def kept_stopped(pid: int):
    """A debugger holds it, whatever signals it is sent."""
    command = [sys.executable, "-c", TRACER, str(pid)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as tracer:
        if tracer.stdout.readline() != "stopped\n":
            pytest.skip("no process may hold another one here")
        yield
        tracer.stdin.close()  # which lets it go


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
    wait_for_end(int(said))


def test_a_daemon_that_left_everything_is_ended_with_its_script(run, tmp_path):
    assert run(DAEMON, str(tmp_path / "pid")) == (0, "")
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_a_daemon_of_a_program_is_ended_with_it(servers, tmp_path):
    (tmp_path / "daemon.py").write_text(DAEMON)
    with (tmp_path / "log").open("wb") as log:
        argv = ["/bin/sh", "-c", f"{sys.executable} daemon.py {tmp_path}/pid; exit 3"]
        child = servers.spawn(argv, cwd=tmp_path, env=BASE, log=log.fileno())
    assert finish(child) == 3
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_a_program_gets_its_variables_and_default_signals(servers, tmp_path):
    with (tmp_path / "log").open("wb") as log:
        argv = ["/bin/sh", "-c", "env; grep SigIgn /proc/self/status; cat"]
        child = servers.spawn(argv, cwd=tmp_path, env={**BASE, "ONE": "1"}, log=log.fileno())
    assert finish(child) == 0
    said = set((tmp_path / "log").read_text().splitlines())
    assert said >= {"ONE=1", "SigIgn:\t0000000000000000"}
    assert not [line for line in said if line.startswith("DJANGO_")]


def test_a_program_that_is_not_there_says_so(servers, tmp_path):
    with (tmp_path / "log").open("wb") as log:
        child = servers.spawn(["/none"], cwd=tmp_path, env=BASE, log=log.fileno())
    assert finish(child) == 126
    assert (tmp_path / "log").read_text() == "/none: No such file or directory\n"


def test_all_of_a_script_ends_when_nobody_waits_for_it_any_more(begin, tmp_path):
    child, _ = begin(DAEMON + "\nimport time; time.sleep(600)", str(tmp_path / "pid"))
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
        assert is_running(child.pid)
    child._status_pipe.close()  # as it does by itself when a worker is killed
    wait_for_end(child.pid)
    wait_for_end(int((tmp_path / "pid").read_text()))
    wait_for_end(child.parent)


def test_what_the_killed_parent_of_a_script_had_adopted_is_ended(run, tmp_path):
    code, _ = run(
        DAEMON + "\nimport signal; os.kill(os.getppid(), signal.SIGKILL)", str(tmp_path / "pid")
    )
    assert code is None
    wait_for_end(int((tmp_path / "pid").read_text()))


soon = pytest.mark.parametrize("servers", [1.0], indirect=True)


@soon
def test_a_server_that_was_stopped_goes_on(run, servers):
    assert run("print(1)") == (0, "1\n")
    server = only_server(servers)
    server.send_signal(signal.SIGSTOP)
    assert run("print(2)") == (0, "2\n")
    assert only_server(servers) is server


@soon
def test_a_server_that_is_kept_stopped_is_replaced_and_ends_with_its_last_script(
    begin, run, servers, tmp_path
):
    lasting, _ = begin("import sys; print(open(sys.argv[1]).read())", _fifo(tmp_path))
    server = only_server(servers)
    with kept_stopped(server.pid):
        assert run("open('ran', 'a').write('x')") == (0, "")
        assert only_server(servers) is not server
    (tmp_path / "fifo").write_text("go")
    assert finish(lasting) == 0
    assert server.wait(5) == 0
    # What was ordered from it and given up did not run as well.
    assert (tmp_path / "ran").read_text() == "x"


def _fifo(folder: Path) -> str:
    os.mkfifo(folder / "fifo")
    return str(folder / "fifo")


def test_a_script_that_stops_its_parent_still_ends(run):
    assert run("import os, signal; os.kill(os.getppid(), signal.SIGSTOP); print(1)") == (0, "1\n")


def test_scripts_do_not_need_their_server_any_more_once_they_run(begin, servers, tmp_path):
    child, _ = begin("import sys; open(sys.argv[1]).read(); sys.exit(4)", _fifo(tmp_path))
    server = only_server(servers)
    server.kill()
    server.wait()
    (tmp_path / "fifo").write_text("go")
    assert finish(child) == 4

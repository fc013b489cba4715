"""Runs in a step's own Python: a warm interpreter that forks for each script instead of starting anew.

Standard library only, Python 3.6 on, and as little of it as possible: what is imported here, a script
finds imported. Orders come through the socket at descriptor 0: a length, JSON `{"script", "argv",
"cwd", "env"}`, and two descriptors, the log and the socket that is told the pid and then the exit code.
"""

import builtins
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import time
import types

HEADER = struct.Struct("!I")
RIGHTS = struct.Struct("2i")


def receive(control):
    """The next order and its descriptors; None at the end."""
    data, ancillary, _, _ = control.recvmsg(65536, socket.CMSG_SPACE(RIGHTS.size))
    if not data:
        return None
    descriptors = []
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors = list(RIGHTS.unpack(content[: RIGHTS.size]))
    (length,) = HEADER.unpack_from(data)
    while len(data) < HEADER.size + length:
        data += control.recv(65536)
    return json.loads(data[HEADER.size :].decode()), descriptors


def serve():
    """Returns in each forked child, with its order; ends in the server when nobody listens any more."""
    control = socket.socket(fileno=0)
    waker, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wakes)
    told = {}
    listening = True
    gc.freeze() if hasattr(gc, "freeze") else None
    while listening or told:
        ready = select.select([waker] + ([control] if listening else []), [], [])[0]
        if waker in ready:
            os.read(waker, 4096)
            reap(told)
        if control in ready:
            order = receive(control)
            if order is None:
                listening = False
                continue
            wanted, (log, teller) = order
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.setsid()
                # Told by the child, so that whoever hears of the group finds it.
                tell(teller, os.getpid())
                for descriptor in (waker, wakes, teller, *told.values()):
                    os.close(descriptor)
                control.detach()  # its descriptor is stdin's and is taken over by `become`
                return wanted, log
            os.close(log)
            told[pid] = teller
    os._exit(0)


def reap(told):
    """Tell each ended child's exit code. What it left of its group ends while its number is still taken."""
    while told:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return
        pid = found.si_pid
        try:
            os.killpg(pid, signal.SIGKILL)
        except OSError:
            pass
        status = os.waitpid(pid, 0)[1]
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        teller = told.pop(pid, None)
        if teller is not None:
            tell(teller, code)
            os.close(teller)


def tell(teller, number):
    try:
        os.write(teller, b"%d\n" % number)
    except OSError:
        pass


def become(order, log):
    """Be what `python script …` would be, started with this environment in this folder."""
    os.chdir(order["cwd"])
    empty = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((empty, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(empty)
    os.close(log)
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    script = order["script"]
    sys.argv[:] = order["argv"]
    added = order["env"].get("PYTHONPATH", "")
    sys.path[:1] = [os.path.dirname(os.path.abspath(script))] + [  # noqa: PTH100, PTH120
        path for path in added.split(os.pathsep) if path
    ]
    sys.excepthook = without_our_frames


def without_our_frames(kind, error, trace):
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


def execute(script):
    if sys.version_info >= (3, 9):  # noqa: UP036 - a step may ask for an older Python
        script = os.path.abspath(script)  # noqa: PTH100 - as the interpreter does since then
    main = types.ModuleType("__main__")
    main.__dict__.update(
        __file__=script,
        __builtins__=builtins,
        __cached__=None,
        __loader__=None,
    )
    sys.modules["__main__"] = main
    with open(script, "rb") as file:  # noqa: PTH123 - pathlib is not worth its import here
        source = file.read()
    exec(compile(source, script, "exec", dont_inherit=True), main.__dict__)  # noqa: S102 - the step's own code


if __name__ == "__main__":
    mine, mine_log = serve()
    become(mine, mine_log)
    execute(mine["script"])

"""Runs in a step's own Python: a warm interpreter that forks for each script instead of starting anew.

Standard library only, Python 3.6 on, and as little of it as possible, down to the modules that `socket`
and `signal` are made of: what is imported here, a script finds imported, and every fork pays for it.
Orders come through the socket at descriptor 0: `packed` text, and two descriptors, the log and the
socket that is told the pid and then the exit code.
"""

import _signal
import _socket
import builtins
import gc
import os
import select
import sys
import time

LENGTH = 4  # bytes before each order that say how long it is


def packed(cwd, argv, env):
    """An order: the folder, the number of arguments, these (the script first), the variables.

    ValueError for a zero byte in a text, as from any process that is started."""
    parts = [cwd, str(len(argv)), *argv, *(name + "=" + value for name, value in env.items())]
    body = b"\0".join(os.fsencode(part) for part in parts)
    if body.count(b"\0") >= len(parts):
        raise ValueError("embedded null byte")
    return len(body).to_bytes(LENGTH, "big") + body


def unpacked(body):
    cwd, count, *rest = (os.fsdecode(part) for part in body.split(b"\0"))
    argv, variables = rest[: int(count)], rest[int(count) :]
    return cwd, argv, dict(variable.split("=", 1) for variable in variables)


def rights(*descriptors):
    """The ancillary data that hands descriptors over."""
    data = b"".join(number.to_bytes(4, sys.byteorder) for number in descriptors)
    return [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, data)]


def receive(control):
    """The next order and its two descriptors; None at the end."""
    data, ancillary, _, _ = control.recvmsg(65536, _socket.CMSG_SPACE(8))
    if not data:
        return None
    ((_, _, content),) = ancillary
    descriptors = [int.from_bytes(content[at : at + 4], sys.byteorder) for at in (0, 4)]
    length = int.from_bytes(data[:LENGTH], "big")
    while len(data) < LENGTH + length:
        data += control.recv(65536)
    return unpacked(data[LENGTH:]), descriptors


def serve():
    """Returns in each forked child, with its order; ends in the server when nobody listens any more."""
    control = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, 0)
    waker, wakes = os.pipe()
    os.set_blocking(wakes, False)
    _signal.signal(_signal.SIGCHLD, lambda number, frame: None)
    _signal.set_wakeup_fd(wakes)
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
                _signal.set_wakeup_fd(-1)
                _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
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
            os.killpg(pid, _signal.SIGKILL)
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
    cwd, argv, env = order
    os.chdir(cwd)
    empty = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((empty, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(empty)
    os.close(log)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.argv[:] = argv
    added = env.get("PYTHONPATH", "")
    sys.path[:1] = [os.path.dirname(os.path.abspath(argv[0]))] + [  # noqa: PTH100, PTH120
        path for path in added.split(os.pathsep) if path
    ]
    sys.excepthook = without_our_frames
    started = sys.modules.get("_studio_step")
    if started is not None:  # it ran when this interpreter was nobody's yet
        started.begin()


def without_our_frames(kind, error, trace):
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


def execute(script):
    if sys.version_info >= (3, 9):  # noqa: UP036 - a step may ask for an older Python
        script = os.path.abspath(script)  # noqa: PTH100 - as the interpreter does since then
    main = type(sys)("__main__")
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
    execute(sys.argv[0])

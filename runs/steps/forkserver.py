"""The fork server: runs in a step's own Python and forks for each script, instead of starting a new
interpreter. A server in the studio's own Python starts programs that are not Python scripts.
With the argument `once` and the file of an order it runs only that order. The file allows arguments of
any length.

Standard library only, from Python 3.6 on. It imports as few modules as possible, and `_socket` instead of
`socket`: scripts start with these imports, and each fork copies them.
Orders come through the socket at descriptor 0: a `packed` text and two descriptors, for the log and for
the status pipe, a socket to the worker. Each order gets two processes: the script's, and a small parent
that adopts what the script leaves behind, kills it when the script ends, and sends the exit code.
The parent also kills everything when the worker closes its end of the status pipe.
"""

import _signal
import _socket
import builtins
import gc
import os
import select
import sys
import time

REASON = "reason"  # the file with a script's last exception, in its folder `facts`
MOST_REASON = 4000
ours = [0, ""]  # the script's pid, and the path of its REASON file
LENGTH = 4  # bytes before each order, with its length
SCRIPT, PROGRAM = "script", "program"
PR_SET_CHILD_SUBREAPER = 36
END_SECONDS = 5.0  # a process that survives SIGKILL for this long is stuck in the kernel


def packed(kind, cwd, argv, env) -> bytes:
    """An order as bytes: SCRIPT (of this interpreter) or PROGRAM, the folder, the number of arguments, the
    arguments (the script or program first), the variables.

    ValueError if a text contains a zero byte, as `subprocess` raises."""
    parts = [kind, cwd, str(len(argv)), *argv, *(name + "=" + value for name, value in env.items())]
    body = b"\0".join(os.fsencode(part) for part in parts)
    if body.count(b"\0") >= len(parts):
        raise ValueError("embedded null byte")
    return len(body).to_bytes(LENGTH, "big") + body


def unpacked(body):
    kind, cwd, count, *rest = (os.fsdecode(part) for part in body.split(b"\0"))
    argv, variables = rest[: int(count)], rest[int(count) :]
    return kind, cwd, argv, dict(variable.split("=", 1) for variable in variables)


def rights(*descriptors) -> list:
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
        more = control.recv(65536)
        if not more:  # the worker gave up while sending
            return None
        data += more
    return unpacked(data[LENGTH:]), descriptors


def serve():
    """The server's loop. Returns only in the process of each script, with its order. The server itself
    exits when the worker has closed the connection and all scripts have ended."""
    control = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, 0)
    adopt = adopter()
    adopt()
    waker, wakes = wake_by_children()
    parents = set()
    listening = True
    gc.freeze() if hasattr(gc, "freeze") else None
    while listening or parents:
        ready = select.select([waker] + ([control] if listening else []), [], [])[0]
        if waker in ready:
            os.read(waker, 4096)
            reap(parents)
        if control in ready:
            order = receive(control)
            if order is None:
                listening = False
                continue
            wanted, (log, status_pipe) = order
            pid = os.fork()
            if pid == 0:
                for descriptor in (waker, wakes, control.detach()):
                    os.close(descriptor)
                adopt()
                tend(wanted, log, status_pipe)
                return wanted, log, status_pipe
            os.close(log)
            os.close(status_pipe)
            parents.add(pid)
    os._exit(0)


def adopter():
    """A function that makes this process adopt orphaned descendants. It avoids importing `ctypes`, which
    takes milliseconds and imports more modules."""
    try:
        import _ctypes  # noqa: PLC0415 - not every interpreter has it

        prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")
        call = _ctypes.call_function
    except (ImportError, AttributeError, OSError):
        return lambda: None
    sys.modules.pop("_ctypes", None)
    return lambda: call(prctl, (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def wake_by_children():
    """A pipe whose first end turns readable when a child has ended."""
    waker, wakes = os.pipe()
    os.set_blocking(wakes, False)
    _signal.signal(_signal.SIGCHLD, lambda number, frame: None)
    _signal.set_wakeup_fd(wakes)
    return waker, wakes


def reap(parents):
    """In the server: collect ended parents. If a parent was killed, kill the processes it had adopted."""
    killed = False
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except OSError:  # no children
            return
        if pid == 0:
            break
        killed = killed or (pid in parents and os.WIFSIGNALED(status))
        parents.discard(pid)
    if killed:
        for pid in children():
            if pid not in parents:
                kill(os.kill, pid)


def tend(order, log, status_pipe):
    """Fork the script's process, where this returns, and be its parent until all its processes are gone."""
    os.setsid()
    os.open(os.devnull, os.O_RDONLY)  # takes the number of the closed socket, 0
    os.chdir(order[1])  # `kill_where` finds it by its folder, even if its worker has died
    waker, wakes = wake_by_children()
    pid = os.fork()
    if pid == 0:
        _signal.set_wakeup_fd(-1)
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
        os.setsid()
        # The child sends its own number, so that its process group exists when the worker gets it.
        send_numbers(status_pipe, os.getppid(), os.getpid())
        os.close(waker)
        os.close(wakes)
        return
    os.close(log)
    code = outcome(pid, status_pipe, waker)
    end_all(waker)
    if code is not None:
        send_numbers(status_pipe, code)
    os._exit(0)


def outcome(pid, status_pipe, waker):
    """Wait for a script's exit code; None if the worker has closed the status pipe."""
    poll = select.poll()
    poll.register(waker, select.POLLIN)
    poll.register(status_pipe, 0)  # reports only that it was closed
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == status_pipe:
                kill(os.killpg, pid)
                return None
            os.read(waker, 4096)
        while True:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is None:
                break
            if found.si_pid == pid:
                kill(os.killpg, pid)  # before `waitpid` frees its pid
            status = os.waitpid(found.si_pid, 0)[1]
            if found.si_pid == pid:
                return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def end_all(waker):
    """Kill every child, and the orphans that this process adopts from them."""
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        try:
            pid = os.waitpid(-1, os.WNOHANG)[0]
        except OSError:  # no children
            return
        if pid == 0:
            for child in children():
                kill(os.kill, child)
            if select.select([waker], [], [], 0.05)[0]:
                os.read(waker, 4096)


def children():
    try:
        with open("/proc/self/task/%d/children" % os.getpid()) as file:  # noqa: PTH123, UP031
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


def kill(send, pid):
    try:
        send(pid, _signal.SIGKILL)
    except OSError:
        pass


def send_numbers(status_pipe, *numbers):
    try:
        os.write(status_pipe, b"".join(b"%d\n" % number for number in numbers))
    except OSError:
        pass


def order_in(path):
    """Read an order from its file, and delete the file."""
    with open(path, "rb") as file:  # noqa: PTH123
        data = file.read()
    os.unlink(path)  # noqa: PTH108
    return unpacked(data[LENGTH:])


def become(order, log):
    """Set this process up as if it had been started as `python script …` in the order's folder, with
    its environment."""
    _, cwd, argv, env = order
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
    ours[:] = os.getpid(), os.path.join(env.get("STUDIO_FACTS_DIR", cwd), REASON)  # noqa: PTH118
    started = sys.modules.get("_studio_step")
    if started is not None:  # it ran at the start of the server, before there was a step
        started.begin()


def without_our_frames(kind, error, trace):
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    import traceback  # noqa: PLC0415 - only needed after an error

    write_reason("".join(traceback.format_exception_only(kind, error)))
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


def write_reason(text):
    """Write the reason of a failure to a file for the worker, which could not tell it from other lines of
    the log."""
    pid, path = ours
    if pid != os.getpid():  # a child of the script: its failure is not the script's
        return
    try:
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(text[:MOST_REASON].encode("utf-8", "backslashreplace"))
    except OSError:
        pass


def execute(script):
    if sys.version_info >= (3, 9):  # noqa: UP036 - a step may ask for an older Python
        script = os.path.abspath(script)  # noqa: PTH100 - as the interpreter does from 3.9 on
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
    try:
        exec(compile(source, script, "exec", dont_inherit=True), main.__dict__)  # noqa: S102 - the step's own code
    except SystemExit as end:
        if isinstance(end.code, str):
            write_reason(end.code)
        raise


def run_program(argv):
    """Replace this process by a program, which is looked up on the PATH of its order."""
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores these signals
        _signal.signal(getattr(_signal, name), _signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, dict(os.environ))  # noqa: S606 - no shell wanted
    except OSError as error:
        os.write(2, os.fsencode("%s: %s\n" % (argv[0], error.strerror)))  # noqa: UP031
        os._exit(126)


def start():
    """Become the process of an order. A program starts here; a script starts after this returns."""
    if sys.argv[1:2] == ["once"]:
        become(order_in(sys.argv[2]), os.dup(1))
        return
    mine, mine_log, mine_status_pipe = serve()
    become(mine, mine_log)
    if not os.read(mine_status_pipe, 1):  # the worker gave up and may have started another process
        os._exit(1)
    os.close(mine_status_pipe)
    if mine[0] == PROGRAM:
        run_program(mine[2])


if __name__ == "__main__":
    start()
    execute(sys.argv[0])

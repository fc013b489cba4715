"""Builds virtual environments with uv, once per content hash, shared by all processes on the machine."""

import fcntl
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import IO, cast

from uv import find_uv_bin

from runs.steps.reasons import build_failure

from .interpreters import choose_python
from .spec import EnvironmentSpec
from .surroundings import build_environment, write_settings

POLL_SECONDS = 0.1
STOP_GRACE_SECONDS = 2
KEPT_LINES = 1000
VANISHED = "vanished while it was built"
# uv's messages for an index that does not respond, and for a full disk. An index that responds with 404
# is not among them.
UNREACHABLE = re.compile(
    r"error sending request|client error \(Connect\)|HTTP status server error|operation timed out"
    r"|No space left on device"
)
LAYOUT = 3  # increase it to have every environment built again
PACKAGES = "packages"  # step_start.py uses the same name
STEP_START = Path(__file__).with_name("step_start.py")
FEATHERWEIGHT_PATH = Path(__file__).resolve().parents[2] / "sdk"
# Prints the folder of the wheel that `ensurepip` would install. Python 3.6's pip supports too few wheels.
CARRIED_PIP = """
import ensurepip, glob, os, sys
places = [os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"), "/usr/share/python-wheels"]
found = [place for place in places if glob.glob(os.path.join(place, "pip-*.whl"))]
print(found[0] if found and sys.version_info >= (3, 7) else "")
"""

Log = Callable[[str], None]
ShouldStop = Callable[[], bool]


class BuildStopped(Exception):
    """The caller asked to stop while the environment was being built."""


class BuildFailed(Exception):
    """uv could not build the environment. `log_path` is the log with all its output, `warnings` are those
    about the definition. `is_ours`: the cause is not in the definition (no index, full disk)."""

    def __init__(
        self,
        message: str,
        *,
        log_path: Path,
        warnings: tuple[str, ...] = (),
        is_ours: bool = False,
    ):
        super().__init__(message)
        self.is_ours = is_ours
        self.message = message
        self.log_path = log_path
        self.warnings = warnings


@dataclass(frozen=True)
class BuiltEnvironment:
    python: Path
    warnings: tuple[str, ...]
    needs_featherweight: bool

    @property
    def bin(self) -> Path:
        return self.python.parent


_known: dict[tuple[str, str], BuiltEnvironment] = {}


def ensure(
    spec: EnvironmentSpec, *, root: Path, log: Log, should_stop: ShouldStop = lambda: False
) -> BuiltEnvironment:
    """The environment of `spec` below `root`; builds it if it does not exist.

    Callers that come during a build wait for it and share its failure; later callers try again. uv
    inherits the lock: if a builder is killed, the lock is held until its uv has ended, so two builds
    never write to the same folder.
    """
    key = (str(root), spec.content_hash)
    built = _known.get(key)
    if built is None or not _is_there(built):
        try:
            built = _Build(spec, root=root, log=log, should_stop=should_stop).ensure()
        except OSError as error:  # a full disk, or uv is missing
            message = f"The environment could not be built: {error}"
            raise BuildFailed(
                message, log_path=root, warnings=spec.warnings, is_ours=True
            ) from error
        _known[key] = built
    if not spec.warnings:
        return built
    return replace(built, warnings=(*spec.warnings, *built.warnings))


def _is_there(built: BuiltEnvironment) -> bool:
    """Whether its interpreter still exists: it is a link, and an upgrade may have removed its target."""
    try:
        built.python.stat()
    except OSError:
        return False
    return True


class _Build:
    def __init__(self, spec: EnvironmentSpec, *, root: Path, log: Log, should_stop: ShouldStop):
        self.spec = spec
        self.interpreter, self.warnings = choose_python(spec.python)
        content = [LAYOUT, sorted(set(spec.requirements)), spec.requirements and spec.options]
        identity = json.dumps([str(self.interpreter), *content])
        name = sha256(identity.encode()).hexdigest()[:32]
        self.folder = root / name
        self.lock_path = root / f"{name}.lock"
        self.ready_path = self.folder / "ready.json"
        self.log_path = root / f"{name}.log"
        self.home = root / "home"
        self.error_path = root / f"{name}.error"
        self.log = log
        self.should_stop = should_stop

    def ensure(self) -> BuiltEnvironment:
        if built := self.ready():
            return built
        self.home.mkdir(parents=True, exist_ok=True)
        arrived = time.time_ns()
        with self.lock() as lock:
            if built := self.ready():
                return built
            self.share_failure_since(arrived)
            try:
                self.make(lock)
            except BuildFailed as failure:
                self.error_path.write_text(failure.message)
                raise
        built = self.ready()
        if built is None:
            raise self.failed(f"{self.folder} {VANISHED}.")
        return built

    def ready(self) -> BuiltEnvironment | None:
        try:
            marker = json.loads(self.ready_path.read_text())
        except (OSError, ValueError):
            return None
        built = BuiltEnvironment(self.python, self.warnings, marker["needs_featherweight"])
        return built if _is_there(built) else None

    @contextmanager
    def lock(self) -> Iterator[int]:
        descriptor = os.open(self.lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            waited = False
            while not _try_lock(descriptor):
                if not waited:
                    self.log("Waiting for another step that builds the same environment.")
                    waited = True
                self.raise_if_stopped()
                time.sleep(POLL_SECONDS)
            yield descriptor
        finally:
            os.close(descriptor)

    def share_failure_since(self, arrived: int) -> None:
        try:
            failed_at = self.error_path.stat().st_mtime_ns
            message = self.error_path.read_text()
        except OSError:
            return
        if failed_at >= arrived:
            raise self.failed(message)

    def make(self, lock: int) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.error_path.unlink(missing_ok=True)
        self.log_path.write_text("")
        for warning in self.warnings:
            self.say(f"Warning: {warning}")
        self.uv(lock, "venv", "--python", str(self.interpreter), str(self.folder))
        if self.spec.requirements:
            self.install(lock)
        self.install_pip(lock)
        self.make_ready_for_steps()
        marker = {"needs_featherweight": not _has_real_azureml(self.site())}
        temporary = self.ready_path.with_suffix(".tmp")
        temporary.write_text(json.dumps(marker))
        temporary.replace(self.ready_path)

    def make_ready_for_steps(self) -> None:
        site = self.site()
        shutil.copyfile(STEP_START, site / "_studio_step.py")
        (site / "_studio_step.pth").write_text("import _studio_step\n")
        # Compile now, because steps may not be allowed to; without bytecode the imports take twice as long.
        self.ask("-m", "compileall", "-q", FEATHERWEIGHT_PATH, site / "_studio_step.py")

    def install_pip(self, lock: int) -> None:
        """Install pip, for scripts that install packages: the wheel bundled with Python, or the index's."""
        if (self.site() / "pip").exists():
            return
        pip = ("pip", "install", "--quiet", "--python", str(self.python), "pip")
        carried = self.ask("-c", CARRIED_PIP)
        if carried and self.is_done(lock, *pip, "--no-index", "--find-links", carried):
            return
        if not self.is_done(lock, *pip):
            self.say(
                "pip is not available for this Python: steps cannot install packages themselves."
            )

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def site(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))

    def ask(self, *arguments: str | Path) -> str:
        """Run the environment's Python and return what it prints."""
        done = subprocess.run(
            [self.python, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=build_environment(self.home),
        )
        return done.stdout.strip()

    def install(self, lock: int) -> None:
        options = [line for line in self.spec.options if line != "--pre"]
        path = self.folder / "requirements.txt"
        path.write_text("\n".join([*options, *self.spec.requirements]) + "\n")
        flags = ["--prerelease", "allow"] if "--pre" in self.spec.options else []
        self.uv(lock, "pip", "install", "--python", str(self.python), *flags, "-r", str(path))

    def uv(self, lock: int, *arguments: str) -> None:
        self.raise_if_stopped()
        process = subprocess.Popen(
            [find_uv_bin(), *arguments, "--config-file", str(write_settings(self.folder.parent))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=build_environment(self.home),
            cwd=self.folder.parent,
            start_new_session=True,
            pass_fds=(lock,),
        )
        try:
            said = self.follow(process)
        finally:
            _end_group(process)
        if process.returncode:
            reason = build_failure(list(said)) or f"uv ended with exit code {process.returncode}"
            raise self.failed(f"The environment could not be built: {reason}")

    def is_done(self, lock: int, *arguments: str) -> bool:
        """Run uv for something optional; False if it failed."""
        try:
            self.uv(lock, *arguments)
        except BuildFailed:
            return False
        return True

    def failed(self, message: str) -> BuildFailed:
        warnings = (*self.spec.warnings, *self.warnings)
        is_ours = VANISHED in message or UNREACHABLE.search(message) is not None
        return BuildFailed(message, log_path=self.log_path, warnings=warnings, is_ours=is_ours)

    def follow(self, process: subprocess.Popen[bytes]) -> deque[str]:
        """Log uv's lines as they come, and check between them whether to stop. Returns the last lines, which
        explain a failure."""
        tail: deque[str] = deque(maxlen=KEPT_LINES)
        for line in self.output_lines(process):
            self.say(line)
            tail.append(line)
        while process.poll() is None:
            self.raise_if_stopped()
            try:
                process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        return tail

    def output_lines(self, process: subprocess.Popen[bytes]) -> Iterator[str]:
        stream = cast("IO[bytes]", process.stdout)  # never None: it was started with a pipe
        pending = b""
        with stream, selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while True:
                self.raise_if_stopped()
                if not selector.select(POLL_SECONDS):
                    continue
                chunk = os.read(stream.fileno(), 65536)
                *whole, pending = (pending + chunk).split(b"\n")
                if not chunk and pending:
                    whole.append(pending)
                yield from (line.decode(errors="replace").rstrip() for line in whole)
                if not chunk:
                    return

    def say(self, line: str) -> None:
        with self.log_path.open("a") as file:
            file.write(line + "\n")
        self.log(line)

    def raise_if_stopped(self) -> None:
        if self.should_stop():
            raise BuildStopped("Stopped while the step's environment was built.")


def _has_real_azureml(site: Path) -> bool:
    return any(site.glob("azureml_core-*.dist-info"))


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End uv and the compilers it started, which share its process group, when a build is stopped."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(STOP_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return

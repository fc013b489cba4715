"""Virtual environments made by uv, once per content hash, shared by every process on the machine."""

import fcntl
import json
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from uv import find_uv_bin

from .interpreters import choose_python
from .spec import EnvironmentSpec
from .surroundings import build_environment, write_settings

POLL_SECONDS = 0.1
STOP_GRACE_SECONDS = 2
FEATHERWEIGHT_PATH = Path(__file__).resolve().parents[2] / "sdk"
Log = Callable[[str], None]
ShouldStop = Callable[[], bool]


class BuildStopped(Exception):
    """The caller asked to stop while the environment was being built."""


class BuildFailed(Exception):
    """uv could not build the environment; `log_path` holds everything it said."""

    def __init__(self, message: str, *, log_path: Path):
        super().__init__(message)
        self.message = message
        self.log_path = log_path


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
    """The environment of `spec` below `root`, built when it is not there yet.

    Whoever comes while it is being built waits, and shares the builder's failure; whoever comes after a
    failure tries again. The lock is inherited by uv: a builder that was killed leaves it held until its
    uv is gone, so two never write the same folder.
    """
    key = (str(root), spec.content_hash)
    built = _known.get(key)
    if built is None or not _is_there(built):
        try:
            built = _Build(spec, root=root, log=log, should_stop=should_stop).ensure()
        except OSError as error:  # a full disk, no uv
            message = f"The environment could not be built: {error}"
            raise BuildFailed(message, log_path=root) from error
        _known[key] = built
    if not spec.warnings:
        return built
    return BuiltEnvironment(
        built.python, (*spec.warnings, *built.warnings), built.needs_featherweight
    )


def _is_there(built: BuiltEnvironment) -> bool:
    """Follows the link to the interpreter, which an upgrade of Python may have taken away."""
    try:
        built.python.stat()
    except OSError:
        return False
    return True


class _Build:
    def __init__(self, spec: EnvironmentSpec, *, root: Path, log: Log, should_stop: ShouldStop):
        self.spec = spec
        self.interpreter, self.warnings = choose_python(spec.python)
        content = [sorted(set(spec.requirements)), spec.requirements and spec.options]
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
            raise BuildFailed(f"{self.folder} vanished while it was built.", log_path=self.log_path)
        return built

    def ready(self) -> BuiltEnvironment | None:
        try:
            marker = json.loads(self.ready_path.read_text())
        except (OSError, ValueError):
            return None
        built = BuiltEnvironment(
            self.folder / "bin" / "python", self.warnings, marker["needs_featherweight"]
        )
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
            raise BuildFailed(message, log_path=self.log_path)

    def make(self, lock: int) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.error_path.unlink(missing_ok=True)
        self.log_path.write_text("")
        for warning in self.warnings:
            self.say(f"Warning: {warning}")
        self.uv(lock, "venv", "--python", str(self.interpreter), str(self.folder))
        if self.spec.requirements:
            self.install(lock)
        self.compile_featherweight()
        marker = {"needs_featherweight": not _has_real_azureml(self.folder)}
        temporary = self.ready_path.with_suffix(".tmp")
        temporary.write_text(json.dumps(marker))
        temporary.replace(self.ready_path)

    def compile_featherweight(self) -> None:
        """Steps may be forbidden to write bytecode; without it the package takes twice as long."""
        subprocess.run(
            [self.folder / "bin" / "python", "-m", "compileall", "-q", FEATHERWEIGHT_PATH],
            capture_output=True,
            check=False,
            env=build_environment(self.home),
        )

    def install(self, lock: int) -> None:
        options = [line for line in self.spec.options if line != "--pre"]
        path = self.folder / "requirements.txt"
        path.write_text("\n".join([*options, *self.spec.requirements]) + "\n")
        flags = ["--prerelease", "allow"] if "--pre" in self.spec.options else []
        python = str(self.folder / "bin" / "python")
        self.uv(lock, "pip", "install", "--python", python, *flags, "-r", str(path))

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
            tail = self.follow(process)
        finally:
            _end_group(process)
        if process.returncode:
            reason = "\n".join(tail) or f"uv ended with exit code {process.returncode}"
            raise BuildFailed(
                f"The environment could not be built.\n{reason}", log_path=self.log_path
            )

    def follow(self, process: subprocess.Popen[bytes]) -> list[str]:
        """Pass uv's lines on as they come, looking up between them; the last 20 explain a failure."""
        tail: list[str] = []
        for line in self.lines(process):
            self.say(line)
            tail = [*tail[-19:], line]
        while process.poll() is None:
            self.raise_if_stopped()
            try:
                process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        return tail

    def lines(self, process: subprocess.Popen[bytes]) -> Iterator[str]:
        stream = process.stdout
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


def _has_real_azureml(folder: Path) -> bool:
    return any(folder.glob("lib/python*/site-packages/azureml_core-*.dist-info"))


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Compilers that uv started are in its process group and must not outlive a stopped build."""
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

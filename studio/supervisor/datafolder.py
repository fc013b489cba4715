"""The data folder: its layout and version, its secret key, and the lock that admits one `up`."""

import fcntl
import os
import secrets
import time
from pathlib import Path

from studio.supervisor import CannotStart

LAYOUT = 4  # counted up whenever an older folder cannot be read any more
FOLDERS = ("keys", "redis", "storage", "tls", "logs", "work", "envs")
LEFTOVERS_END_SECONDS = 12.0


def prepare(root: Path) -> None:
    """Create the folders, readable by their owner only; refuse an unwritable or unknown one."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_version(root / "version")
        for name in FOLDERS:
            (root / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"cannot write to the data folder {root}: {error.strerror}") from error
    for path in (root, *(root / name for name in FOLDERS), *root.glob("db.sqlite3*")):
        if not os.access(path, os.R_OK | os.W_OK):
            raise CannotStart(f"cannot write to {path}: it belongs to another user")


def _check_version(file: Path) -> None:
    if not file.exists():
        file.write_text(f"{LAYOUT}\n")
        return
    text = file.read_text().strip()
    if not text.isdigit() or int(text) > LAYOUT:
        raise CannotStart(
            f"the data folder {file.parent} was written by a newer Pipeline Studio"
            f" (layout {text[:20]}; this one knows {LAYOUT}): update, or choose another with --data"
        )
    if int(text) < LAYOUT:
        raise CannotStart(
            f"the data folder {file.parent} was written by an older Pipeline Studio, and this one"
            f" cannot read it (layout {text}, not {LAYOUT}): move it away, or choose another with --data"
        )


def lock(root: Path) -> int:
    """Lock the folder until this process and its keeper have ended; returns the descriptor."""
    descriptor = os.open(root / "up.pid", os.O_RDWR | os.O_CREAT, 0o600)
    patience = time.monotonic() + LEFTOVERS_END_SECONDS
    while not _locked(descriptor):
        holder = os.pread(descriptor, 20, 0).decode().strip()
        # The keeper of a killed `up` holds the lock until its last child is gone.
        if _is_alive(holder) or time.monotonic() > patience:
            os.close(descriptor)
            raise CannotStart(
                f"the data folder {root} is in use by another `up`, process {holder or 'unknown'}"
            )
        time.sleep(0.1)
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def ensure_secret_key(root: Path) -> None:
    file = root / "keys" / "secret_key"
    if not file.exists():
        write_private(file, secrets.token_urlsafe(48) + "\n")


def write_private(file: Path, content: str | bytes) -> None:
    """Write a file, atomically, that only its owner may read."""
    data = content.encode() if isinstance(content, str) else content
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    unfinished.replace(file)

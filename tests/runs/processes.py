"""Whether a process is still there."""

from pathlib import Path

from tests.waiting import wait_for


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_end(pid: int):
    wait_for(lambda: not is_running(pid), seconds=5, what=f"the end of process {pid}")

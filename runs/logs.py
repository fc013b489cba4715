"""Logs of runs in the storage. Most storages cannot append, so a log is a folder of numbered segments,
which are joined when the log is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from studio.storage.failures import storing
from studio.storage.paths import relative_path
from studio.storage.store import State, studio_store

DRIVER_LOG = "azureml-logs/70_driver_log.txt"
BUILD_LOG = "azureml-logs/20_image_build_log.txt"
SEGMENT_BYTES = 1024 * 1024
NEWLINE = b"\n"


class LogWriter:
    """Appends to a log for one attempt. Segments of later attempts sort after those of earlier
    ones."""

    def __init__(self, run_uuid: UUID, name: str, *, attempt: int):
        self.folder = _log_folder(run_uuid, name)
        self.attempt = attempt
        self.segments = 0

    def write(self, data: bytes) -> None:
        """Append data. After StoreFailed, call this again with the same data: it overwrites what was
        written."""
        number = self.segments
        for start in range(0, len(data), SEGMENT_BYTES):
            number += 1
            part = data[start : start + SEGMENT_BYTES]
            name = f"{self.attempt:04d}-{number:06d}-{part.count(NEWLINE)}"
            with storing(self.folder):
                studio_store().write_bytes(f"{self.folder}/{name}", part)
        self.segments = number


@dataclass(frozen=True, order=True)
class Segment:
    """A part of a log. Its name contains the number of line ends in it, so that a line can be found without
    reading all segments before it."""

    name: str
    size: int

    @property
    def attempt(self) -> int:
        return int(self.name.split("-")[0])

    @property
    def newlines(self) -> int:
        return int(self.name.split("-")[2])


def stream_log(
    run_uuid: UUID, name: str = DRIVER_LOG, *, start: int = 0, limit: int | None = None
) -> Iterator[bytes]:
    """At most `limit` bytes of a log from byte `start`, one segment at a time, since a log may be larger than
    memory. Empty if there is no log (yet)."""
    left = limit
    folder = _log_folder(run_uuid, name)
    for segment in _segments(folder):
        if start >= segment.size:
            start -= segment.size
            continue
        if left is not None and left <= 0:
            return
        end = segment.size if left is None else min(segment.size, start + left)
        data = b"".join(studio_store().stream(f"{folder}/{segment.name}", start=start, end=end))
        start = 0
        left = None if left is None else left - len(data)
        yield data


def log_segments(run_uuid: UUID, name: str = DRIVER_LOG) -> list[Segment]:
    return _segments(_log_folder(run_uuid, name))


def log_state(run_uuid: UUID, name: str = DRIVER_LOG) -> State:
    """The state of a log. Segments are only added, so the last one's time is that of the log."""
    folder = _log_folder(run_uuid, name)
    segments = _segments(folder)
    if not segments:
        raise FileNotFoundError(name)
    size = sum(segment.size for segment in segments)
    last = studio_store().state(f"{folder}/{segments[-1].name}")
    return State(size, last.modified, f"{size}-{last.version}")


def log_names(run_uuid: UUID) -> list[str]:
    """The logs that exist, such as `azureml-logs/70_driver_log.txt`."""
    segments = studio_store().below(f"runs/{run_uuid}/logs").names()
    return sorted({name.rpartition("/")[0] for name in segments})


def _log_folder(run_uuid: UUID, name: str) -> str:
    return f"runs/{run_uuid}/logs/{relative_path(name, backslash=True)}"


def _segments(folder: str) -> list[Segment]:
    """The segments in the order of the log."""
    try:
        entries = studio_store().listing(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(Segment(name, size) for name, is_folder, size in entries if not is_folder)

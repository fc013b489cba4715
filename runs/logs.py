"""Logs of runs in the storage. Most storages cannot append, so a log is a folder of numbered
segments, which are joined when it is read."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from uuid import UUID

from studio.storage.blobs import checked_path, put_bytes, storage_root, stream_blob
from studio.storage.store import State, storing

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
        """After StoreFailed, call it again with the same data, which replaces what was written."""
        number = self.segments
        for start in range(0, len(data), SEGMENT_BYTES):
            number += 1
            part = data[start : start + SEGMENT_BYTES]
            name = f"{self.attempt:04d}-{number:06d}-{part.count(NEWLINE)}"
            with storing(self.folder):
                put_bytes(f"{self.folder}/{name}", part)
        self.segments = number


@dataclass(frozen=True, order=True)
class Segment:
    """A part of a log. Its name says how many lines end in it, so that a line can be found without
    reading what is before it."""

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
    """At most `limit` bytes of a log from byte `start`, a segment at a time: it may be larger than memory.
    Nothing where there is no log (yet)."""
    left = limit
    folder = _log_folder(run_uuid, name)
    for segment in _segments(folder):
        if start >= segment.size:
            start -= segment.size
            continue
        if left is not None and left <= 0:
            return
        end = segment.size if left is None else min(segment.size, start + left)
        data = b"".join(stream_blob(f"{folder}/{segment.name}", start=start, end=end))
        start = 0
        left = None if left is None else left - len(data)
        yield data


def log_segments(run_uuid: UUID, name: str = DRIVER_LOG) -> list[Segment]:
    return _segments(_log_folder(run_uuid, name))


def log_state(run_uuid: UUID, name: str = DRIVER_LOG) -> State:
    """Segments are only ever added: the last one's time is the log's."""
    folder = _log_folder(run_uuid, name)
    segments = _segments(folder)
    if not segments:
        raise FileNotFoundError(name)
    size = sum(segment.size for segment in segments)
    last = storage_root().state(f"{folder}/{segments[-1].name}")
    return State(size, last.modified, f"{size}-{last.version}")


def log_names(run_uuid: UUID) -> list[str]:
    """The logs that exist, such as `azureml-logs/70_driver_log.txt`."""
    root, folder = storage_root(), f"runs/{run_uuid}/logs"
    if root.local:
        place = root.local / folder
        found = {Path(path).relative_to(place) for path, _, files in os.walk(place) if files}
    else:
        top = root.at(folder)
        found = {Path(path[len(top) + 1 :]).parent for path in root.fs.find(top)}
    return sorted(str(path) for path in found)


def _log_folder(run_uuid: UUID, name: str) -> str:
    return f"runs/{run_uuid}/logs/{checked_path(name)}"


def _segments(folder: str) -> list[Segment]:
    """In the order of the log."""
    root = storage_root()
    try:
        if root.local:
            with os.scandir(root.local / folder) as entries:
                return sorted(Segment(entry.name, entry.stat().st_size) for entry in entries)
        entries = root.fs.ls(root.at(folder), detail=True, refresh=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(Segment(PurePosixPath(entry["name"]).name, entry["size"]) for entry in entries)

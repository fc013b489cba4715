"""Copies the output of a running step to its log in the storage."""

import time
from pathlib import Path

from django.conf import settings

from runs.logs import SEGMENT_BYTES, LogWriter
from runs.steps import StepRefused

SEGMENT_SECONDS = 2.0
# Copied per call, then the worker checks on the step again: a step may write faster than we copy.
SEGMENTS_AT_ONCE = 16
TAIL_BYTES = 64 * 1024


class LogCapture:
    """Copies new content of a local file to a log, once it is 2 s old or 1 MiB long."""

    def __init__(self, path: Path, writer: LogWriter):
        self.path = path
        self.writer = writer
        self.offset = 0
        self.written_at = 0.0
        self.pending = b""  # a piece whose write failed; the next call writes the same piece again

    def copy(self, *, is_last: bool = False) -> None:
        new = size_of_file(self.path) - self.offset
        late = time.monotonic() - self.written_at >= SEGMENT_SECONDS
        if new <= 0 or not (is_last or late or new >= SEGMENT_BYTES):
            return
        most = settings.STUDIO_LOG_MAX_BYTES
        if self.offset + new > most:
            raise StepRefused(
                f"The step wrote more than {most} bytes to its log (setting STUDIO_LOG_MAX_BYTES)."
            )
        self.written_at = time.monotonic()
        if not is_last:
            new = min(new, SEGMENTS_AT_ONCE * SEGMENT_BYTES)
        with self.path.open("rb") as file:
            while new > 0:
                file.seek(self.offset)
                self.pending = self.pending or file.read(min(SEGMENT_BYTES, new))
                if not self.pending:
                    return  # the step has truncated the file
                self.writer.write(self.pending)
                self.offset += len(self.pending)
                new -= len(self.pending)
                self.pending = b""

    def tail(self) -> str:
        with self.path.open("rb") as file:
            file.seek(max(0, size_of_file(self.path) - TAIL_BYTES))
            return file.read().decode(errors="replace")


def size_of_file(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

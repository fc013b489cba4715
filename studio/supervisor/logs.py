"""Log files of the children: written by the children, rotated and watched by `up`."""

import os
import re
import shutil
from pathlib import Path

ROTATE_BYTES = 10 * 1024 * 1024
READ_BYTES = 256 * 1024
TROUBLE = re.compile(
    r"\blevel=(?:error|critical)\b|^\S*(?:Error|Exception)\b|\"level\": \"(?:ERROR|error|critical)\""
)


class LogFile:
    """A child's log. Children append through an inherited descriptor, so the file can be truncated
    while they write. Nothing stays open here: a fork would copy an open file object and could later
    close a descriptor that belongs to somebody else."""

    def __init__(self, folder: Path, name: str):
        self.name = name
        self.path = folder / f"{name}.log"
        self.rotate()
        self.position = self.size

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def rotate(self) -> None:
        if self.size > ROTATE_BYTES:
            shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
            os.truncate(self.path, 0)
            self.position = 0

    def write(self, line: str) -> None:
        descriptor = self.open()
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)

    def trouble(self) -> list[str]:
        """New lines that report an error."""
        return [line for line in self._new_lines() if TROUBLE.search(line)]

    def last_line(self) -> str:
        lines = [line for line in self._read(max(0, self.size - 4096)).splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def _new_lines(self) -> list[str]:
        size = self.size
        if size <= self.position:
            self.position = size
            return []
        text = self._read(self.position)
        whole, newline, _ = text.rpartition("\n")
        if not newline and len(text) < READ_BYTES:
            return []  # an incomplete line waits for the next call
        taken = whole + newline or text
        self.position += len(taken.encode(errors="surrogateescape"))
        self.rotate()
        return taken.splitlines()

    def _read(self, start: int) -> str:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            return os.pread(descriptor, READ_BYTES, start).decode(errors="surrogateescape")
        finally:
            os.close(descriptor)

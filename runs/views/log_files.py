"""The logs of a run: those of its processes and, for a pipeline run, the execution log."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from runs import logs
from runs.execution_log import EXECUTION_LOG, ExecutionLog
from runs.models import Kind, Run
from runs.parts import visible_runs


@dataclass(frozen=True)
class StoredLog:
    """A log in the storage; for a reused step, the original's."""

    run: Run
    name: str

    @cached_property
    def segments(self) -> list[logs.Segment]:
        return logs.log_segments(visible_runs.source_of(self.run).uuid, self.name)

    @property
    def size(self) -> int:
        return sum(segment.size for segment in self.segments)

    @property
    def attempts(self) -> dict[int, tuple[int, int]]:
        """For each attempt the range of bytes of the log that belongs to it."""
        found: dict[int, tuple[int, int]] = {}
        end = 0
        for segment in self.segments:
            start, _end = found.get(segment.attempt, (end, end))
            end += segment.size
            found[segment.attempt] = start, end
        return found

    def landmarks(self) -> Iterator[tuple[int, int]]:
        """Bytes at which reading can begin, each with the number of lines before it."""
        offset = newlines = 0
        yield offset, newlines
        for segment in self.segments:
            offset, newlines = offset + segment.size, newlines + segment.newlines
            yield offset, newlines

    def stream(self, *, start: int = 0, limit: int | None = None) -> Iterator[bytes]:
        owner = visible_runs.source_of(self.run).uuid
        return logs.stream_log(owner, self.name, start=start, limit=limit)


Log = StoredLog | ExecutionLog


def log_names(run: Run) -> list[str]:
    if run.kind == Kind.PIPELINE:
        return [EXECUTION_LOG]
    return logs.log_names(visible_runs.source_of(run).uuid)


def default_name(run: Run) -> str:
    found = log_names(run)
    return logs.DRIVER_LOG if logs.DRIVER_LOG in found or not found else found[0]


def of(run: Run, name: str) -> Log:
    return ExecutionLog(run) if run.kind == Kind.PIPELINE else StoredLog(run, name)

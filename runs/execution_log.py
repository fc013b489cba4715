"""The execution log: what became of a pipeline run and its steps. It is made when it is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q

from runs.models import Kind, Run, StatusChange

EXECUTION_LOG = "logs/azureml/executionlogs.txt"  # the path that v1 used
KINDS = (Kind.PIPELINE, Kind.STEP)  # kinds of runs that have one


@dataclass(frozen=True)
class ExecutionLog:
    """Every status change of a run and its steps, in the order of writing; it only grows."""

    run: Run
    name: str = EXECUTION_LOG

    @property
    def attempts(self) -> dict[int, tuple[int, int]]:
        return {}

    def landmarks(self) -> Iterator[tuple[int, int]]:
        yield 0, 0
        yield len(self.text), self.text.count(b"\n")

    @cached_property
    def text(self) -> bytes:
        of_run = Q(run=self.run_id) | Q(run__parent=self.run_id, run__kind=Kind.STEP)
        changes = StatusChange.objects.filter(of_run).select_related("run").order_by("pk")
        return "".join(map(self._line, changes)).encode()

    @property
    def run_id(self) -> int:
        return self.run.pk

    def _line(self, change: StatusChange) -> str:
        what = "run" if change.run_id == self.run_id else f"step {change.run.name or change.run}"
        reason = f" ({change.reason})" if change.reason else ""
        at = change.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        words = f"[{at}] {what}: {change.from_status} -> {change.to_status}{reason}"
        return words.replace("\n", " ") + "\n"

    @property
    def size(self) -> int:
        return len(self.text)

    def stream(self, *, start: int = 0, limit: int | None = None) -> Iterator[bytes]:
        yield self.text[start:] if limit is None else self.text[start : start + limit]

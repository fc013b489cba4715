"""Applying what a running step reports in the file `facts.jsonl`: metrics, tags, uploads, its status."""

import json
import logging
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import dropwhile
from pathlib import Path
from typing import Any

from django.db import transaction

from runs.engine.log_capture import _size
from runs.engine.outages import is_outage
from runs.models import Run
from runs.steps import StepRefused
from runs.steps.forkserver import MOST_REASON, REASON
from runs.steps.reasons import first_line
from runs.tracking import artifacts, metrics, tags
from runs.tracking.author import Author, lock
from studio.core.db.transactions import write_transaction
from studio.core.db.writable import writable
from studio.storage.paths import sent_path

# One transaction holds the database's lock for some tens of milliseconds, and others get it between two.
REPORTS_AT_ONCE = 50
APPLY_SECONDS = 0.25
MAX_WARNINGS = 20  # about files; a step can make any number of them
LONGEST_REPORT = 1024 * 1024
MAX_REPORT_BYTES = 64 * 1024 * 1024

logger = logging.getLogger(__name__)


def script_error(folder: Path) -> str:
    """The line of the exception that ended a script, as its launcher wrote it down; "" if none did."""
    text = _written(folder / REASON, MOST_REASON * 4)
    # Before the line of a SyntaxError its place is shown.
    lines = dropwhile(lambda line: line.startswith(" "), text.splitlines())
    return first_line("\n".join(lines)) or first_line(text)


def _written(path: Path, most: int) -> str:
    """The text of a plain file that a step has left; of a pipe or a link there is none to wait for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return ""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return ""
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most).decode(errors="replace")


class StepReports:
    """Applies the lines of a step's report file, in order and once each.

    A report names one of `runs`, the step or its parent; one that names another run is ignored. So is what
    an attempt reports after the step was taken from it.
    """

    def __init__(self, folder: Path, author: Author, *runs: Run | None):
        self.author = author
        self.attempt: int | None = None
        self.path = folder / "facts.jsonl"
        self.uploads = folder / "uploads"
        self.applied = folder / "applied"
        self.runs = {str(run.uuid): run for run in runs if run is not None}
        self.offset = 0
        self.status: dict[str, Any] | None = None
        self.stored_uploads: list[Path] = []  # uploads that are stored and not committed yet
        self.warnings: list[str] = []

    def apply(self) -> bool:
        """Apply what is new, for APPLY_SECONDS or little more; False if there is more."""
        until = time.monotonic() + APPLY_SECONDS
        size = _size(self.path)
        if size > MAX_REPORT_BYTES:
            raise StepRefused(
                f"The step told more than {MAX_REPORT_BYTES} bytes of metrics and tags."
            )
        while self.offset < size and time.monotonic() < until:
            lines = self._next_lines()
            if not lines:
                return True  # the end of the line is still to come
            self.stored_uploads.clear()
            with write_transaction():
                reports = list(_parsed(lines))
                self.attempt = lock(self.author, *self._runs_of(reports))
                if self.attempt is None:
                    logger.warning("facts of %s come too late", self.path)
                    return True
                for report in reports:
                    self._apply(report)
            for upload in self.stored_uploads:
                upload.unlink(missing_ok=True)
            self.offset += sum(map(len, lines))
            # The step may wait to hear how far we are.
            self.applied.write_text(str(self.offset))
        return self.offset >= size

    def _runs_of(self, reports: Iterable[dict[str, Any]]) -> set[int]:
        named = {str(report.get("run")) for report in reports}
        return {run.pk for uuid, run in self.runs.items() if uuid in named}

    def _next_lines(self) -> list[bytes]:
        """The next lines. One that is too long for a report comes in pieces, which are ignored."""
        lines: list[bytes] = []
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while len(lines) < REPORTS_AT_ONCE and sum(map(len, lines)) < LONGEST_REPORT:
                line = file.readline(LONGEST_REPORT)
                if not line.endswith(b"\n") and len(line) < LONGEST_REPORT:
                    break
                lines.append(line)
        return lines

    def _apply(self, report: dict[str, Any]) -> None:
        run = self.runs.get(str(report.get("run")))
        write = APPLY.get(str(report.get("kind")))
        if run is None or write is None:
            logger.warning(
                "report ignored: kind %s for run %s", report.get("kind"), report.get("run")
            )
            return
        try:
            with transaction.atomic():
                write(self, run, report)
        except Exception as error:
            if is_outage(error):
                raise
            # A step's nonsense must not end the step.
            logger.exception("report ignored: %.200s", report)

    def _metric(self, run: Run, report: dict[str, Any]) -> None:
        metrics.add_metric(
            run.pk,
            attempt=self.attempt,
            name=str(report["name"])[:255],
            points=[
                {
                    "data": report["value"],
                    "step": _step(report.get("step")),
                    "created_at": report.get("at"),
                }
            ],
            columns=report.get("columns"),
            properties={"uxMetricType": report.get("type") or "azureml.v1.scalar"},
        )

    def _upload(self, run: Run, report: dict[str, Any]) -> None:
        source = Path(report["file"]).resolve()
        if not source.is_relative_to(self.uploads.resolve()):
            raise ValueError(f"{source} is not in the folder for uploads")
        path = sent_path(str(report["path"]))
        refusal = artifacts.store_file(run, path, source, author=self.author)
        if refusal and refusal not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(refusal)
        self.stored_uploads.append(source)

    def _status(self, run: Run, report: dict[str, Any]) -> None:
        if run.uuid == next(iter(self.runs.values())).uuid:
            self.status = report

    def _tag(self, run: Run, report: dict[str, Any]) -> None:
        tags.merge(run.pk, attempt=self.attempt, tags={str(report["key"]): str(report["value"])})

    def _remove_tag(self, run: Run, report: dict[str, Any]) -> None:
        tags.merge(run.pk, attempt=self.attempt, remove_tags=[str(report["key"])])

    def _property(self, run: Run, report: dict[str, Any]) -> None:
        tags.merge(
            run.pk, attempt=self.attempt, properties={str(report["key"]): str(report["value"])}
        )

    def _display_name(self, run: Run, report: dict[str, Any]) -> None:
        tags.merge(run.pk, attempt=self.attempt, display_name=str(report["value"])[:255])

    def _description(self, run: Run, report: dict[str, Any]) -> None:
        tags.merge(run.pk, attempt=self.attempt, description=str(report["value"]))


APPLY: dict[str, Callable[[StepReports, Run, dict[str, Any]], None]] = {
    "metric": StepReports._metric,
    "upload": StepReports._upload,
    "status": StepReports._status,
    "tag": StepReports._tag,
    "remove_tag": StepReports._remove_tag,
    "property": StepReports._property,
    "display_name": StepReports._display_name,
    "description": StepReports._description,
}


def _parsed(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            report = json.loads(line, parse_int=_whole)
        except (ValueError, RecursionError):
            report = None
        if isinstance(report, dict):
            yield writable(report)
        else:
            logger.warning("report ignored: not a JSON object: %.200r", line)


def _step(value: object) -> int | None:
    """None, too, for a number that its column does not hold."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    return None


def _whole(text: str) -> int | str:
    """What no database takes for a number is as large as numbers get, in the word for that."""
    number = int(text)
    if abs(number) <= sys.float_info.max:
        return number
    return "Infinity" if number > 0 else "-Infinity"

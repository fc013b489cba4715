"""Applies what a running step reports in the file `facts.jsonl`: metrics, tags, uploads, its status."""

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

from runs.engine.log_capture import size_of_file
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

# Keeps each transaction to some tens of milliseconds, so that others get the database's lock in between.
REPORTS_AT_ONCE = 50
APPLY_SECONDS = 0.25
MAX_WARNINGS = 20  # about files; a step can write any number of files
LONGEST_REPORT = 1024 * 1024
MAX_REPORT_BYTES = 64 * 1024 * 1024

logger = logging.getLogger(__name__)


def script_error(folder: Path) -> str:
    """The exception that ended the script, as one line written by its launcher; "" if there is none."""
    text = _written(folder / REASON, MOST_REASON * 4)
    # The text of a SyntaxError begins with indented lines that show the source.
    lines = dropwhile(lambda line: line.startswith(" "), text.splitlines())
    return first_line("\n".join(lines)) or first_line(text)


def _written(path: Path, most: int) -> str:
    """The text of a regular file that a step wrote; "" for anything else. A step may leave a pipe there,
    and reading that would block."""
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

    A report must name one of `runs` (the step or its parent); others are ignored, and so are reports of
    an attempt that no longer holds the step.
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
        self.stored_uploads: list[Path] = []  # uploads that are stored but not committed yet
        self.warnings: list[str] = []

    def apply(self) -> bool:
        """Apply new lines for about APPLY_SECONDS; False if there are more."""
        until = time.monotonic() + APPLY_SECONDS
        size = size_of_file(self.path)
        if size > MAX_REPORT_BYTES:
            raise StepRefused(
                f"The step reported more than {MAX_REPORT_BYTES} bytes of metrics and tags."
            )
        while self.offset < size and time.monotonic() < until:
            lines = self._next_lines()
            if not lines:
                return True  # the last line is not complete yet
            self.stored_uploads.clear()
            with write_transaction():
                reports = list(_parsed(lines))
                self.attempt = lock(self.author, *self._runs_of(reports))
                if self.attempt is None:
                    logger.warning("reports in %s ignored: the attempt is over", self.path)
                    return True
                for report in reports:
                    self._apply(report)
            for upload in self.stored_uploads:
                upload.unlink(missing_ok=True)
            self.offset += sum(map(len, lines))
            # The step may wait until its reports are applied.
            self.applied.write_text(str(self.offset))
        return self.offset >= size

    def _runs_of(self, reports: Iterable[dict[str, Any]]) -> set[int]:
        named = {str(report.get("run")) for report in reports}
        return {run.pk for uuid, run in self.runs.items() if uuid in named}

    def _next_lines(self) -> list[bytes]:
        """The next complete lines. A line that is too long is returned in pieces, which are then ignored
        because they are not JSON."""
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
            # A malformed report must not fail the step.
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
    """The step number of a metric; None if it is no integer or too large for its column."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    return None


def _whole(text: str) -> int | str:
    """The integer, or "Infinity" or "-Infinity" if it is too large for a database."""
    number = int(text)
    if abs(number) <= sys.float_info.max:
        return number
    return "Infinity" if number > 0 else "-Infinity"

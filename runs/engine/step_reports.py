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
from studio.storage import blobs

# One transaction holds the database's lock for some tens of milliseconds, and others get it between two.
FACTS_AT_ONCE = 50
FACTS_SECONDS = 0.25
MAX_WARNINGS = 20  # about files; a step can make any number of them
LONGEST_FACT = 1024 * 1024
MAX_FACT_BYTES = 64 * 1024 * 1024

logger = logging.getLogger(__name__)


def reason(facts: Path) -> str:
    """The line of the exception that ended a script, as its launcher wrote it down; "" if none did."""
    text = _written(facts / REASON, MOST_REASON * 4)
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


class FactFollower:
    """Applies the lines of a step's fact file, in order and once each.

    A fact names one of `runs`, the step or its parent; any other is none of the step's business. What
    an attempt says after the step was taken from it is no fact.
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
        self.kept: list[Path] = []  # uploads that are stored and not committed yet
        self.warnings: list[str] = []

    def follow(self) -> bool:
        """Apply what is new, for FACTS_SECONDS or little more; False if there is more."""
        until = time.monotonic() + FACTS_SECONDS
        size = _size(self.path)
        if size > MAX_FACT_BYTES:
            raise StepRefused(
                f"The step told more than {MAX_FACT_BYTES} bytes of metrics and tags."
            )
        while self.offset < size and time.monotonic() < until:
            lines = self._next_lines()
            if not lines:
                return True  # the end of the line is still to come
            self.kept.clear()
            with write_transaction():
                told = list(_parsed(lines))
                self.attempt = lock(self.author, *self._runs_of(told))
                if self.attempt is None:
                    logger.warning("facts of %s come too late", self.path)
                    return True
                for fact in told:
                    self._apply(fact)
            for upload in self.kept:
                upload.unlink(missing_ok=True)
            self.offset += sum(map(len, lines))
            # The step may wait to hear how far we are.
            self.applied.write_text(str(self.offset))
        return self.offset >= size

    def _runs_of(self, told: Iterable[dict[str, Any]]) -> set[int]:
        named = {str(fact.get("run")) for fact in told}
        return {run.pk for uuid, run in self.runs.items() if uuid in named}

    def _next_lines(self) -> list[bytes]:
        """The next lines. One far beyond any fact comes piece by piece, to be passed over as nonsense."""
        lines: list[bytes] = []
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while len(lines) < FACTS_AT_ONCE and sum(map(len, lines)) < LONGEST_FACT:
                line = file.readline(LONGEST_FACT)
                if not line.endswith(b"\n") and len(line) < LONGEST_FACT:
                    break
                lines.append(line)
        return lines

    def _apply(self, fact: dict[str, Any]) -> None:
        run = self.runs.get(str(fact.get("run")))
        apply = APPLY.get(str(fact.get("kind")))
        if run is None or apply is None:
            logger.warning("fact ignored: kind %s for run %s", fact.get("kind"), fact.get("run"))
            return
        try:
            with transaction.atomic():
                apply(self, run, fact)
        except Exception as error:
            if is_outage(error):
                raise
            # A step's nonsense must not end the step.
            logger.exception("fact ignored: %.200s", fact)

    def _metric(self, run: Run, fact: dict[str, Any]) -> None:
        metrics.add_metric(
            run.pk,
            attempt=self.attempt,
            name=str(fact["name"])[:255],
            points=[
                {
                    "data": fact["value"],
                    "step": _step(fact.get("step")),
                    "created_at": fact.get("at"),
                }
            ],
            columns=fact.get("columns"),
            properties={"uxMetricType": fact.get("type") or "azureml.v1.scalar"},
        )

    def _upload(self, run: Run, fact: dict[str, Any]) -> None:
        source = Path(fact["file"]).resolve()
        if not source.is_relative_to(self.uploads.resolve()):
            raise ValueError(f"{source} is not in the folder for uploads")
        path = blobs.sent_path(fact["path"])
        refusal = artifacts.keep_file(run, path, source, author=self.author)
        if refusal and refusal not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(refusal)
        self.kept.append(source)

    def _status(self, run: Run, fact: dict[str, Any]) -> None:
        if run.uuid == next(iter(self.runs.values())).uuid:
            self.status = fact

    def _tag(self, run: Run, fact: dict[str, Any]) -> None:
        tags.merge(run.pk, attempt=self.attempt, tags={str(fact["key"]): str(fact["value"])})

    def _remove_tag(self, run: Run, fact: dict[str, Any]) -> None:
        tags.merge(run.pk, attempt=self.attempt, remove_tags=[str(fact["key"])])

    def _property(self, run: Run, fact: dict[str, Any]) -> None:
        tags.merge(run.pk, attempt=self.attempt, properties={str(fact["key"]): str(fact["value"])})

    def _display_name(self, run: Run, fact: dict[str, Any]) -> None:
        tags.merge(run.pk, attempt=self.attempt, display_name=str(fact["value"])[:255])

    def _description(self, run: Run, fact: dict[str, Any]) -> None:
        tags.merge(run.pk, attempt=self.attempt, description=str(fact["value"]))


APPLY: dict[str, Callable[[FactFollower, Run, dict[str, Any]], None]] = {
    "metric": FactFollower._metric,
    "upload": FactFollower._upload,
    "status": FactFollower._status,
    "tag": FactFollower._tag,
    "remove_tag": FactFollower._remove_tag,
    "property": FactFollower._property,
    "display_name": FactFollower._display_name,
    "description": FactFollower._description,
}


def _parsed(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            fact = json.loads(line, parse_int=_whole)
        except (ValueError, RecursionError):
            fact = None
        if isinstance(fact, dict):
            yield writable(fact)
        else:
            logger.warning("fact ignored: not a JSON object: %.200r", line)


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

"""The attempt of a step as the author of what is recorded: only while the step is its own."""

from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from runs.models import (
    Run,
    StepAttempt,
)
from runs.states import CLAIMED


class Superseded(Exception):
    """The attempt that says this is not its step's any more."""


@dataclass(frozen=True)
class Author:
    """The attempt of a step that says something, of its own run or another."""

    step_id: int
    attempt: int


def lock(author: Author, *run_ids: int) -> int | None:
    """The key of an attempt's row, for facts of `run_ids` that this transaction writes. Until it has,
    nobody takes the step over; None if somebody has."""
    number = StepAttempt.objects.filter(step=OuterRef("pk"), number=author.attempt)
    # From the top down, as they are canceled: two who wait for each other would wait for ever.
    rows = Run.objects.select_for_update(no_key=True).filter(pk__in={author.step_id, *run_ids})
    locked = rows.annotate(attempt_id=Subquery(number.values("pk"))).order_by("pk")
    for pk, attempt, status, key in locked.values_list("pk", "attempt", "status", "attempt_id"):
        if pk == author.step_id and attempt == author.attempt and status in CLAIMED:
            return int(key)
    return None

"""The attempt of a step as the author of records. It may write only while it holds the step."""

from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from runs.models import (
    Run,
    StepAttempt,
)
from runs.states import CLAIMED


class Superseded(Exception):
    """The attempt that reports this no longer holds its step."""


@dataclass(frozen=True)
class Author:
    """The attempt of a step that reports something about its own run or another one."""

    step_id: int
    attempt: int


def lock(author: Author, *run_ids: int) -> int | None:
    """Lock the step and `run_ids`, so that this transaction can write records of them and nobody can take
    the step over meanwhile. Returns the key of the attempt's row; None if it no longer holds the step."""
    number = StepAttempt.objects.filter(step=OuterRef("pk"), number=author.attempt)
    # Locked from the top down, in the order in which they are canceled, to avoid deadlocks.
    rows = Run.objects.select_for_update(no_key=True).filter(pk__in={author.step_id, *run_ids})
    locked = rows.annotate(attempt_id=Subquery(number.values("pk"))).order_by("pk")
    for pk, attempt, status, key in locked.values_list("pk", "attempt", "status", "attempt_id"):
        if pk == author.step_id and attempt == author.attempt and status in CLAIMED:
            return int(key)
    return None

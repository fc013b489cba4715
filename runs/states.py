"""The states of whatever runs, and which may follow which: the table of this file, nothing else.

Words are run history's; the pipelines service's words are made in `wire_status` alone."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    NOT_STARTED = "NotStarted", _("Not started")
    QUEUED = "Queued", _("Queued")
    PREPARING = "Preparing", _("Preparing")
    RUNNING = "Running", _("Running")
    FINALIZING = "Finalizing", _("Finalizing")
    CANCEL_REQUESTED = "CancelRequested", _("Cancel requested")
    COMPLETED = "Completed", _("Completed")
    FAILED = "Failed", _("Failed")
    CANCELED = "Canceled", _("Canceled")
    NOT_RESPONDING = "NotResponding", _("Not responding")
    SKIPPED = "Skipped", _("Skipped")


S = Status
TERMINAL = frozenset({S.COMPLETED, S.FAILED, S.CANCELED, S.SKIPPED})
LIVE = frozenset(set(S) - TERMINAL)
# The states in which a worker holds a step.
IN_PROGRESS = frozenset({S.PREPARING, S.RUNNING, S.FINALIZING, S.NOT_RESPONDING})

# A worker has the step, perhaps asked to end it: what its attempt says counts.
CLAIMED = IN_PROGRESS | {S.CANCEL_REQUESTED}

BEFORE: dict[Status, frozenset[Status]] = {
    S.NOT_STARTED: frozenset(),
    # A held step goes back to Queued for its next attempt.
    S.QUEUED: frozenset({S.NOT_STARTED}) | IN_PROGRESS,
    S.PREPARING: frozenset({S.NOT_STARTED, S.QUEUED}),
    S.RUNNING: frozenset({S.NOT_STARTED, S.QUEUED, S.PREPARING, S.NOT_RESPONDING}),
    S.FINALIZING: frozenset({S.RUNNING}),
    S.NOT_RESPONDING: frozenset({S.PREPARING, S.RUNNING, S.FINALIZING}),
    S.CANCEL_REQUESTED: LIVE - {S.CANCEL_REQUESTED},
    # A reused step completes without having run; a client's own run completes from where it is.
    S.COMPLETED: LIVE - {S.CANCEL_REQUESTED},
    S.FAILED: LIVE - {S.CANCEL_REQUESTED},
    S.CANCELED: LIVE,
    S.SKIPPED: frozenset({S.NOT_STARTED, S.QUEUED}),
}

# A run that its client drives, not our workers, may begin again when it is over.
BEFORE_BY_CLIENT = {**BEFORE, S.RUNNING: BEFORE[S.RUNNING] | TERMINAL}

_WIRE = {
    S.NOT_STARTED: "NotStarted",
    S.QUEUED: "Queued",
    S.COMPLETED: "Finished",
    S.FAILED: "Failed",
    S.CANCELED: "Canceled",
    S.SKIPPED: "Bypassed",
}


def wire_status(status: str, *, of_node: bool = False) -> str:
    """The pipelines service's word for a status (wire.md 3.6).

    A pipeline run knows no Queued nor Bypassed; any live word it does not know is Running.
    """
    word = _WIRE.get(Status(status), "Running")
    if of_node:
        return word
    return {"Queued": "NotStarted", "Bypassed": "Canceled"}.get(word, word)


def history_status(status: str) -> str:
    """Run history's word: ours, but for Skipped, which it does not know."""
    return "Canceled" if status == S.SKIPPED else str(status)

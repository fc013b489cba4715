"""The statuses of runs, and the table of allowed changes. The values are those of run history;
`wire_status` converts them to those of the pipelines service."""

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
# A step that no worker has yet.
WAITING = (S.NOT_STARTED, S.QUEUED)
# A worker has the step.
IN_PROGRESS = frozenset({S.PREPARING, S.RUNNING, S.FINALIZING, S.NOT_RESPONDING})

# A worker has the step, which may have been asked to cancel: its reports are accepted.
CLAIMED = IN_PROGRESS | {S.CANCEL_REQUESTED}

BEFORE: dict[Status, frozenset[Status]] = {
    S.NOT_STARTED: frozenset(),
    # A step goes back to Queued for its next attempt.
    S.QUEUED: frozenset({S.NOT_STARTED}) | IN_PROGRESS,
    # A step whose worker is heard again goes back from Not responding to what it was.
    S.PREPARING: frozenset({S.NOT_STARTED, S.QUEUED, S.NOT_RESPONDING}),
    S.RUNNING: frozenset({S.NOT_STARTED, S.QUEUED, S.PREPARING, S.NOT_RESPONDING}),
    S.FINALIZING: frozenset({S.RUNNING, S.NOT_RESPONDING}),
    S.NOT_RESPONDING: IN_PROGRESS - {S.NOT_RESPONDING},
    S.CANCEL_REQUESTED: LIVE - {S.CANCEL_REQUESTED},
    # A reused step completes without running; a client's own run completes from any status.
    S.COMPLETED: LIVE - {S.CANCEL_REQUESTED},
    S.FAILED: LIVE - {S.CANCEL_REQUESTED},
    S.CANCELED: LIVE,
    S.SKIPPED: frozenset({S.NOT_STARTED, S.QUEUED}),
}

# A run that its client drives, not our workers, may become Running again after its end.
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
    """The pipelines service's name of a status (wire.md 3.6).

    Only nodes can be Queued or Bypassed. Live statuses that the service does not know become Running.
    """
    word = _WIRE.get(Status(status), "Running")
    if of_node:
        return word
    return {"Queued": "NotStarted", "Bypassed": "Canceled"}.get(word, word)


def history_status(status: str) -> str:
    """Run history's name of a status: the same as ours, except for Skipped, which it does not know."""
    return "Canceled" if status == S.SKIPPED else str(status)

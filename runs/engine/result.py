"""What an attempt of a step came to, before it is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runs.models import Outcome
from runs.steps import Stop

OUTCOMES = {
    Stop.CANCELED: Outcome.CANCELED,
    Stop.TIMED_OUT: Outcome.TIMED_OUT,
    Stop.INTERRUPTED: Outcome.INTERRUPTED,
    Stop.LOST: Outcome.LOST,
    Stop.SUPERSEDED: Outcome.INTERRUPTED,
}


@dataclass
class Result:
    outcome: Outcome
    exit_code: int | None = None
    error: str = ""
    code: str = "UserError"
    warnings: list[str] = field(default_factory=list)
    may_be_reused: bool = False
    is_last: bool = False
    running_since: datetime | None = None
    step_changes: dict[str, Any] = field(default_factory=dict)
    on_complete: Callable[[], Mapping[str, Any]] = dict

    @classmethod
    def of_stop(cls, reason: Stop, exit_code: int | None, timeout_seconds: int | None) -> "Result":
        texts = {
            Stop.CANCELED: "The step was canceled.",
            Stop.TIMED_OUT: f"The step's time-out of {timeout_seconds} s has passed.",
            Stop.INTERRUPTED: "The worker was stopped.",
            Stop.LOST: "The interpreter that had started it was killed.",
            Stop.SUPERSEDED: "",
        }
        return cls(OUTCOMES[reason], exit_code, texts[reason], code=reason.value)

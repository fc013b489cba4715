"""What all step types share: the order that a runner gets, and the flag that stops a step.

A runner turns an order into a command line; it never touches the database. Adding a step type is one
file beside this one and one line in `runs.steps.RUNNERS`.
"""

import os
import select
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Protocol


class StepRefused(Exception):
    """The step cannot run or be completed; the message tells the step's author why."""

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Order:
    """A step that is ready to start: plain values only, all placeholders resolved."""

    name: str
    python: Path
    code: Path
    script: str | None
    command: str | None
    arguments: tuple[str, ...]
    variables: Mapping[str, str]


class Runner(Protocol):
    def argv(self, order: Order) -> list[str]:
        """The command line of the step's process; StepRefused if there is none."""


class Stop(StrEnum):
    """Why a step was stopped from outside."""

    CANCELED = "Canceled"
    TIMED_OUT = "TimedOut"
    INTERRUPTED = "Interrupted"  # the worker stops or was frozen; the step will be started again
    LOST = "Lost"  # the parent of its process was killed, perhaps by another step
    SUPERSEDED = "Superseded"  # another attempt took the step over, or it was ended without us


class StopFlag:
    """Tells a step, and the code that prepares it, to stop. Keeps the first reason it is given.

    Its `fileno` turns readable when it is set, so `poll` can wait for it and a process together.
    """

    def __init__(self) -> None:
        self.reason: Stop | None = None
        self.process_is_over = False  # only storing its results remains
        self._lock = Lock()
        self._writer: int | None
        self._reader, self._writer = os.pipe()

    def ask(self, reason: Stop) -> None:
        with self._lock:
            if self.reason is None and self._writer is not None:
                self.reason = reason
                os.write(self._writer, b"!")

    def __bool__(self) -> bool:
        return self.reason is not None

    def wait(self, seconds: float) -> None:
        """Return when the flag is set, or after `seconds`."""
        poll = select.poll()
        poll.register(self, select.POLLIN)
        poll.poll(seconds * 1000)

    def fileno(self) -> int:
        return self._reader

    def close(self) -> None:
        with self._lock:
            if self._writer is not None:
                os.close(self._reader)
                os.close(self._writer)
                self._writer = None

"""What every kind of step shares: the order a runner gets, and how it may be told to stop.

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
    """The step cannot be started at all; the message says why, for the person who wrote it."""

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Order:
    """A step ready to start: everything is a plain value, every placeholder is resolved."""

    name: str
    python: Path
    code: Path
    script: str | None
    command: str | None
    arguments: tuple[str, ...]
    variables: Mapping[str, str]


class Runner(Protocol):
    def argv(self, order: Order) -> list[str]:
        """The command line of the step's process; StepRefused where there is none."""


class Stop(StrEnum):
    """Why a step is ended from outside."""

    CANCELED = "Canceled"
    TIMED_OUT = "TimedOut"
    INTERRUPTED = "Interrupted"  # the worker stops, or was frozen: the step is started again
    LOST = "Lost"  # what had started its process was killed, perhaps by another step
    SUPERSEDED = "Superseded"  # the step is no longer ours: another attempt, or it ended without us


class StopFlag:
    """Tells a step, and whatever prepares it, to stop. The first reason stays.

    It can be waited for together with the end of a process: `fileno` turns readable.
    """

    def __init__(self) -> None:
        self.reason: Stop | None = None
        self.process_is_over = False  # what remains is to keep what it left, which harms nobody
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
        """Return when it is raised, or after so long."""
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

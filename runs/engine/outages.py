"""Retries what remains to be done after a step's process has ended, until it works or the step is not ours
any more. So no work is lost when the database or a storage is unavailable for a while."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from runs.steps import StopFlag
from studio.storage.failures import StoreFailed

FIRST_SECONDS, LONGEST_SECONDS = 0.1, 5.0
# A storage may refuse a file for good, so retries end; a database is retried as long as the step is ours.
STORE_SECONDS = 3600.0
LIMIT_EXCEEDED = "54"  # PostgreSQL's error class "program limit exceeded": a retry cannot help

T = TypeVar("T")

logger = logging.getLogger(__name__)


class GivenUp(Exception):
    """The step was stopped, or taken over, before a retry worked."""


def is_outage(error: Exception) -> bool:
    """Whether the same call may work a little later."""
    if isinstance(error, OperationalError | InterfaceError):
        cause = error.__cause__
        if getattr(cause, "sqlite_errorname", "") == "SQLITE_ERROR":
            return False  # the statement itself is wrong
        return not (getattr(cause, "sqlstate", None) or "").startswith(LIMIT_EXCEEDED)
    return isinstance(error, StoreFailed)


def after_outage() -> None:
    """Close the connection, which may be dead, so that Django opens a new one."""
    if not connection.in_atomic_block:
        connection.close()


class OutageRetry:
    """Calls a function until it works; raises GivenUp if `flag` is set meanwhile.

    `is_ours` is checked before each retry; `on_outage` is called once, after the first outage. For a step
    that was already stopped, a limit of `seconds` replaces the flag.
    """

    def __init__(
        self,
        flag: StopFlag,
        *,
        is_ours: Callable[[], bool] = lambda: True,
        on_outage: Callable[[str], None] = lambda text: None,
        seconds: float | None = None,
    ):
        self.flag = flag
        self.is_ours = is_ours
        self.on_outage = on_outage
        self.is_noted = False
        self.until = None if seconds is None else time.monotonic() + seconds

    def __call__(self, act: Callable[[], T]) -> T:
        failing_since, wait = None, FIRST_SECONDS
        while True:
            self._raise_if_over()
            try:
                if failing_since is not None and not self.is_ours():
                    raise GivenUp
                return act()
            except Exception as error:
                if not is_outage(error):
                    raise
                now = time.monotonic()
                failing_since = failing_since or now
                if isinstance(error, StoreFailed) and now - failing_since > STORE_SECONDS:
                    raise
                self._note(error)
            self.flag.wait(wait) if self.until is None else time.sleep(wait)
            wait = min(wait * 2, LONGEST_SECONDS)

    def _raise_if_over(self) -> None:
        if self.flag if self.until is None else time.monotonic() > self.until:
            raise GivenUp

    def _note(self, error: Exception) -> None:
        logger.warning("retrying after an outage: %s", error)
        after_outage()
        if not self.is_noted:
            try:
                self.on_outage(str(error))
                self.is_noted = True
            except Exception as unwritten:
                if not is_outage(unwritten):
                    raise
                after_outage()

"""What remains to be done when a step's process has ended is tried until it works, or until the step is
not ours any more: no work is lost because the database or a storage was away for a while."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from runs.steps import StopFlag
from studio.storage.failures import StoreFailed

FIRST_SECONDS, LONGEST_SECONDS = 0.1, 5.0
# A database is waited for as long as the step is ours. A storage may never take what it is given.
STORE_SECONDS = 3600.0
LIMIT_EXCEEDED = "54"  # PostgreSQL's class of what it will never take

T = TypeVar("T")

logger = logging.getLogger(__name__)


class GivenUp(Exception):
    """The step was told to stop, or was taken from us, before it worked."""


def is_outage(error: Exception) -> bool:
    """Whether the same may work a little later."""
    if isinstance(error, OperationalError | InterfaceError):
        cause = error.__cause__
        if (
            getattr(cause, "sqlite_errorname", "") == "SQLITE_ERROR"
        ):  # the statement itself is wrong
            return False
        return not (getattr(cause, "sqlstate", None) or "").startswith(LIMIT_EXCEEDED)
    return isinstance(error, StoreFailed)


def after_outage() -> None:
    """Have a connection opened anew: the one there is may be dead."""
    if not connection.in_atomic_block:
        connection.close()


class OutageRetry:
    """Called with what is to be done; raises GivenUp when `flag` is raised meanwhile.

    `is_ours` is asked after each outage, `on_outage` is told of the first one. A step that was stopped
    already has `seconds` left instead of its flag.
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
        logger.warning("this is tried again until it works: %s", error)
        after_outage()
        if not self.is_noted:
            try:
                self.on_outage(str(error))
                self.is_noted = True
            except Exception as unwritten:
                if not is_outage(unwritten):
                    raise
                after_outage()

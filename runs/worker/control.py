"""The threads of the control process. One sends the heartbeat every 5 s, calls `recover` every 10 s and
starts the cleanups every hour. Another runs the schedules every second, since polling a datastore may take
long. They work without the broker, so they continue if it is lost."""

import logging
import os
import platform
import time
from collections.abc import Callable, Sequence
from threading import Event, Thread

from django.db import connection
from django.db.models.functions import Now

from runs.engine import worker_names
from runs.models import Worker

HEARTBEAT_SECONDS = 5.0
RECOVER_SECONDS = 10.0
CLEANUP_SECONDS = 3600.0
SCHEDULES_SECONDS = 1.0

logger = logging.getLogger(__name__)


Chore = tuple[float, Callable[[], None]]


class Clock:
    def __init__(
        self,
        *,
        recover: Callable[[], None],
        cleanups: Sequence[Callable[[], object]],
        schedules: Callable[[], None],
        recover_seconds: float = RECOVER_SECONDS,
    ):
        self.recover, self.cleanups, self.schedules = recover, cleanups, schedules
        self.name = worker_names.name_of_this_process()
        self.closed = Event()
        self.cleaning: Thread | None = None
        chores = (
            (HEARTBEAT_SECONDS, self._send_heartbeat),
            (recover_seconds, self.recover),
            (CLEANUP_SECONDS, self._clean_up_apart),
        )
        self.threads = [
            Thread(target=self._run, args=[chores], daemon=True),
            Thread(target=self._run, args=[((SCHEDULES_SECONDS, self.schedules),)], daemon=True),
        ]

    def start(self) -> None:
        self._send_heartbeat()
        for thread in self.threads:
            thread.start()

    def close(self) -> None:
        self.closed.set()
        for thread in self.threads:
            thread.join(2)
        Worker.objects.filter(name=self.name).delete()

    def _run(self, chores: tuple[Chore, ...]) -> None:
        due = dict.fromkeys(range(len(chores)), time.monotonic())
        while not self.closed.wait(max(0.0, min(due.values()) - time.monotonic())):
            for number, (seconds, act) in enumerate(chores):
                if due[number] <= time.monotonic():
                    due[number] = time.monotonic() + seconds
                    self._try(act)
        connection.close()

    def _send_heartbeat(self) -> None:
        if not Worker.objects.filter(name=self.name).update(heartbeat_at=Now()):
            Worker.objects.create(
                name=self.name,
                role="control",
                host=platform.node(),
                pid=os.getpid(),
                queues=[],
                slots=1,
            )
            Worker.objects.filter(name=self.name).update(heartbeat_at=Now())

    def _clean_up_apart(self) -> None:
        """Clean up in a thread of its own, because it may take so long that heartbeats would be late; skip it
        if the last cleanup still runs."""
        if self.cleaning is None or not self.cleaning.is_alive():
            self.cleaning = Thread(target=self._clean_up_all, daemon=True)
            self.cleaning.start()

    def _clean_up_all(self) -> None:
        for act in self.cleanups:
            self._try(act)
        connection.close()

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception:
            logger.exception("a periodic task of the control process failed; it will run again")
            connection.close()

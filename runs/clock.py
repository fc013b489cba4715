"""The control process's own thread: its heartbeat every 5 s, `recover` every 10 s, in time or as soon
after as it can. It needs no broker, so losing that one stops neither."""

import logging
import os
import platform
import secrets
import time
from collections.abc import Callable
from threading import Event, Thread

from django.db import connection
from django.db.models.functions import Now

from runs.models import Worker

HEARTBEAT_SECONDS = 5.0
RECOVER_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Clock:
    def __init__(self, recover: Callable[[], None]):
        self.recover = recover
        self.name = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(2)}"
        self.closed = Event()
        self.thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._beat()
        self.thread.start()

    def close(self) -> None:
        self.closed.set()
        self.thread.join(2)
        Worker.objects.filter(name=self.name).delete()

    def _run(self) -> None:
        beat_at = recover_at = time.monotonic()
        while not self.closed.wait(max(0.0, min(beat_at, recover_at) - time.monotonic())):
            now = time.monotonic()
            if now >= beat_at:
                beat_at = now + HEARTBEAT_SECONDS
                self._try(self._beat)
            if now >= recover_at:
                recover_at = now + RECOVER_SECONDS
                self._try(self.recover)
        connection.close()

    def _beat(self) -> None:
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

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            logger.exception("the clock's tick failed; the next one comes")
            connection.close()

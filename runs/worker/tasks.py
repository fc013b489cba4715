"""Celery's side of runs: what a bell does, and how one is rung. The bell only says that there is work
in a queue; who claims what is the database's to say."""

import logging
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from celery import shared_task
from django.db import close_old_connections
from kombu.pools import producers

from runs import engine
from runs.worker.process import Worker
from studio.celery import app as celery_app

RING_SECONDS = 0.2
SLOTS_SECONDS = 5.0  # how long a count of slots is believed
GIVEN_UP_SECONDS = 1.0  # until a bell that came to the wrong worker is rung again
NO_SLOTS_SECONDS = 1.0  # the same where it says that nobody serves a queue

logger = logging.getLogger(__name__)
# The worker this process is; `manage.py worker` puts it here before it takes messages.
here: list[Worker] = []


@shared_task(name="runs.work")  # type: ignore[untyped-decorator]  # Celery has no types
def work(queue: str) -> None:
    """Do what is ready in `queue`, and ring for what that makes ready elsewhere."""
    close_old_connections()
    for worker in here:
        if queue not in worker.queues:  # given up, when its message was on its way
            ring({queue: 1}, in_seconds=GIVEN_UP_SECONDS)
        for ready, seconds in worker.walk(queue):
            ring(ready, in_seconds=seconds)


def recover(listener: engine.Listener) -> None:
    ring(engine.recover(listener=listener))


def ring(ready: Mapping[str, int], *, in_seconds: float = 0.0) -> None:
    """Wake a slot per ready step, as far as there are slots. Never raises, never takes long: a bell that
    is not heard is rung again by `recover`."""
    try:
        slots = _slots(list(ready))
        for queue, count in ready.items():
            for _ in range(min(count, slots.get(queue, 0))):
                _send(queue, in_seconds)
    except Exception:
        logger.warning("the bell for %s could not be rung", dict(ready), exc_info=True)


def _send(queue: str, in_seconds: float) -> None:
    with producers[_connection()].acquire(block=True, timeout=RING_SECONDS) as producer:
        work.apply_async(
            (queue,),
            queue=queue,
            producer=producer,
            countdown=in_seconds or None,
            retry=False,
        )


@cache
def _connection() -> Any:
    """Bells have a connection of their own: a broker that hangs must cost a caller 200 ms, not 5 s."""
    options = {**celery_app.conf.broker_transport_options, "socket_timeout": RING_SECONDS}
    return celery_app.connection_for_write(transport_options=options)


_known: dict[str, Any] = {"at": 0.0, "slots": {}}


def _slots(queues: list[str]) -> dict[str, int]:
    """Slots per queue of the workers that are alive. A worker looks by itself when it starts, so a
    queue that nobody serves needs no bell."""
    served = all(_known["slots"].get(queue) for queue in queues)
    if time.monotonic() - _known["at"] > (SLOTS_SECONDS if served else NO_SLOTS_SECONDS):
        found: dict[str, int] = {}
        for row in engine.live_workers().filter(role="worker").values("queues", "slots"):
            for queue in row["queues"]:
                found[queue] = found.get(queue, 0) + row["slots"]
        _known.update(at=time.monotonic(), slots=found)
    slots: dict[str, int] = _known["slots"]
    return slots

"""Wakes workers by the name of their task. A message only says that there is work in a queue; the
database decides who claims what."""

import logging
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from kombu.pools import producers

from runs import engine
from studio.celery import app as celery_app

WORK = "runs.work"  # see `runs.worker.tasks`
RING_SECONDS = 0.2
SLOTS_SECONDS = 5.0  # how long a count of slots is cached
NO_SLOTS_SECONDS = 1.0  # the same, if nobody serves a queue

logger = logging.getLogger(__name__)


def ring(ready: Mapping[str, int], *, in_seconds: float = 0.0) -> None:
    """Wake a slot per ready step, as far as there are slots. Never raises and never takes long:
    `recover` repeats what gets lost."""
    try:
        slots = _slots(list(ready))
        for queue, count in ready.items():
            for _ in range(min(count, slots.get(queue, 0))):
                _send(queue, in_seconds)
    except Exception:
        logger.warning("the bell for %s could not be rung", dict(ready), exc_info=True)


def _send(queue: str, in_seconds: float) -> None:
    with producers[_connection()].acquire(block=True, timeout=RING_SECONDS) as producer:
        celery_app.send_task(
            WORK,
            (queue,),
            queue=queue,
            producer=producer,
            countdown=in_seconds or None,
            retry=False,
        )


@cache
def _connection() -> Any:
    """A connection for ringing only: a broker that hangs may cost a caller 200 ms, not 5 s."""
    options = {**celery_app.conf.broker_transport_options, "socket_timeout": RING_SECONDS}
    return celery_app.connection_for_write(transport_options=options)


_known: dict[str, Any] = {"at": 0.0, "slots": {}}


def _slots(queues: list[str]) -> dict[str, int]:
    """Slots of living workers, per queue. A queue that nobody serves needs no message: a worker
    looks for steps when it starts."""
    served = all(_known["slots"].get(queue) for queue in queues)
    if time.monotonic() - _known["at"] > (SLOTS_SECONDS if served else NO_SLOTS_SECONDS):
        found: dict[str, int] = {}
        for row in engine.live_workers().filter(role="worker").values("queues", "slots"):
            for queue in row["queues"]:
                found[queue] = found.get(queue, 0) + row["slots"]
        _known.update(at=time.monotonic(), slots=found)
    slots: dict[str, int] = _known["slots"]
    return slots

"""The Celery task that `runs.bell` sends to workers, and `recover`, which the control process calls."""

from celery import shared_task
from django.db import close_old_connections

from runs import engine
from runs.bell import WORK, ring
from runs.worker.process import Worker

GIVEN_UP_SECONDS = 1.0  # the delay before a message that reached the wrong worker is sent again
# The worker of this process; `manage.py worker` sets it before the first message.
here: list[Worker] = []


@shared_task(name=WORK)  # type: ignore[untyped-decorator]  # Celery has no types
def work(queue: str) -> None:
    """Execute the steps that are ready in `queue`, and ring for other steps that become ready."""
    close_old_connections()
    for worker in here:
        if queue not in worker.queues:  # given up after the message was sent
            ring({queue: 1}, in_seconds=GIVEN_UP_SECONDS)
        for ready, seconds in worker.process_queue(queue):
            ring(ready, in_seconds=seconds)


def recover(listener: engine.Listener) -> None:
    ring(engine.recover(listener=listener))

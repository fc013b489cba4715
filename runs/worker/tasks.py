"""What a worker does when `runs.bell` is rung, and what the control process does every 10 s."""

from celery import shared_task
from django.db import close_old_connections

from runs import engine
from runs.bell import WORK, ring
from runs.worker.process import Worker

GIVEN_UP_SECONDS = 1.0  # until a bell that came to the wrong worker is rung again
# The worker this process is; `manage.py worker` puts it here before it takes messages.
here: list[Worker] = []


@shared_task(name=WORK)  # type: ignore[untyped-decorator]  # Celery has no types
def work(queue: str) -> None:
    """Do what is ready in `queue`, and ring for what that makes ready elsewhere."""
    close_old_connections()
    for worker in here:
        if queue not in worker.queues:  # given up, when its message was on its way
            ring({queue: 1}, in_seconds=GIVEN_UP_SECONDS)
        for ready, seconds in worker.process_queue(queue):
            ring(ready, in_seconds=seconds)


def recover(listener: engine.Listener) -> None:
    ring(engine.recover(listener=listener))

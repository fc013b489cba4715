from argparse import SUPPRESS
from datetime import timedelta
from functools import partial

from celery.signals import worker_shutting_down
from django.core.management.base import BaseCommand

from runs import engine
from runs.querysets import LOST
from runs.schedules import scheduler
from runs.tracking import replaced_artifacts
from runs.worker import tasks
from runs.worker.consumer import consumer
from runs.worker.control import Clock
from studio.celery import CONTROL_QUEUE
from studio.storage import uploads


class Command(BaseCommand):
    help = (
        "The studio's own chores, apart from all steps: recover every 10 s, schedules every second,"
        " clean up, and queue `control`."
    )
    requires_system_checks = []  # they load every page; `up` and CI run them

    def add_arguments(self, parser):
        # For tests: after so many seconds of silence a worker is taken for dead.
        silence = LOST.total_seconds()
        parser.add_argument("--silence", type=float, default=silence, help=SUPPRESS)

    def handle(self, *, silence, **options):
        listener = engine.Listener(timedelta(seconds=silence))
        clock = Clock(
            recover=partial(tasks.recover, listener),
            cleanups=(uploads.remove_unclaimed, replaced_artifacts.clean_up, engine.clean_up),
            schedules=scheduler.tick,
            recover_seconds=silence / 3,
        )
        clock.start()
        worker_shutting_down.connect(lambda **_: clock.closed.set(), weak=False)
        try:
            consumer(name=f"control:{clock.name}", queues=[CONTROL_QUEUE], slots=2).start()
        finally:
            clock.close()

from celery.signals import worker_shutting_down
from django.core.management.base import BaseCommand

from endpoints import uploads
from runs import scheduler, tasks
from runs.clock import Clock
from runs.consumer import consumer
from studio.celery import CONTROL_QUEUE


class Command(BaseCommand):
    help = (
        "The studio's own chores, apart from all steps: recover every 10 s, schedules every second,"
        " tidy up, and queue `control`."
    )
    requires_system_checks = []  # they load every page; `up` and CI run them

    def handle(self, **options):
        clock = Clock(
            recover=tasks.recover, tidy=uploads.remove_unclaimed, schedules=scheduler.tick
        )
        clock.start()
        worker_shutting_down.connect(lambda **_: clock.closed.set(), weak=False)
        try:
            consumer(name=f"control:{clock.name}", queues=[CONTROL_QUEUE], slots=2).start()
        finally:
            clock.close()

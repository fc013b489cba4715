import os
from argparse import SUPPRESS

from celery import signals
from django.core.management.base import BaseCommand

from runs.bell import ring
from runs.querysets import LOST, SILENT
from runs.worker import tasks
from runs.worker.consumer import consumer
from runs.worker.process import Worker


class Command(BaseCommand):
    help = "Do the steps of compute targets: a queue each, of this machine's slots as many at once."
    requires_system_checks = []  # they load every page; `up` and CI run them

    def add_arguments(self, parser):
        parser.add_argument(
            "--queues",
            "-Q",
            help="compute targets, separated by commas; workers without this option leave them to"
            " this one (default: every target there is or will be)",
        )
        parser.add_argument("--slots", type=int, default=os.cpu_count(), metavar="N")
        # For tests, like that of `control`.
        silence = LOST.total_seconds()
        parser.add_argument("--silence", type=float, default=silence, help=SUPPRESS)

    def handle(self, *, queues, slots, silence, **options):
        names = [name.strip() for name in queues.split(",") if name.strip()] if queues else None
        worker = Worker(
            slots=max(1, slots), queues=names, silence_seconds=silence * (SILENT / LOST)
        )
        worker.start()
        tasks.here.append(worker)
        bells = consumer(name=worker.name, queues=worker.queues, slots=worker.slots)

        def serve(added, given_up=()):
            for name in added:
                bells.consumer.call_soon(bells.consumer.add_task_queue, name)
            for name in given_up:
                bells.consumer.call_soon(bells.consumer.cancel_task_queue, name)
            ring(dict.fromkeys(added, worker.slots))

        worker.on_queues = serve
        # A strong reference: a local function would be garbage-collected at once.
        signals.worker_shutting_down.connect(lambda **_: worker.stop(), weak=False)
        # Steps that wait already were rung for before this worker started, or never.
        signals.worker_ready.connect(lambda **_: serve(worker.queues), weak=False)
        try:
            bells.start()
        finally:
            worker.close()

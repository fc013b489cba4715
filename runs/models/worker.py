from django.db import models
from django.utils import timezone

from runs.querysets import WorkerQuerySet


class Worker(models.Model):
    """A process that sends a heartbeat every 5 s, with the database's clock.

    Role `control` is the control process, which serves no compute target. A worker that `is_named` was
    started for certain queues; workers that were started without queues take no steps from those.
    """

    name = models.CharField(max_length=200, unique=True)
    role = models.CharField(max_length=10, choices=[("worker", "worker"), ("control", "control")])
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    queues = models.JSONField(default=list)
    is_named = models.BooleanField(default=False)
    slots = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now, db_index=True)
    stopping_at = models.DateTimeField(null=True, blank=True)

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

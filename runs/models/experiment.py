from uuid import uuid4

from django.db import models
from django.utils import timezone

from studio.core.models import Workspace


class Experiment(models.Model):
    """A named group of runs, created with the first run that names it.

    `runs_made` numbers its runs; the transaction that creates a run increments it.
    """

    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, related_name="experiments", db_index=False
    )
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=dict, blank=True)
    runs_made = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="experiment_unique_name")
        ]

    def __str__(self) -> str:
        return self.name

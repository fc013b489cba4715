"""The history of the status of runs."""

from django.db import models
from django.utils import timezone

from runs.models.run import Run


class StatusChange(models.Model):
    """One status change of one run. Append-only; the timeline and the profile are built from it."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="status_changes")
    from_status = models.CharField(max_length=20)
    to_status = models.CharField(max_length=20)
    at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"

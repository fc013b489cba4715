from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from runs.models.run import Run
from runs.models.schedules import Schedule


class TickOutcome(models.TextChoices):
    FIRED = "Fired", _("Fired")
    SKIPPED = "Skipped", _("Skipped")
    FAILED = "Failed", _("Failed")


class ScheduleTick(models.Model):
    """What happened at one due time of a schedule. It is unique, so of two control processes only one can
    fire the schedule."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="ticks", db_index=False)
    due_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=TickOutcome.choices)
    reason = models.TextField(blank=True)
    run = models.ForeignKey(Run, models.SET_NULL, null=True, blank=True, related_name="ticks")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "due_at"], name="tick_unique_due")
        ]
        indexes = [models.Index(fields=["schedule", "-id"], name="tick_newest")]

    def __str__(self) -> str:
        return f"{self.schedule} {self.due_at:%Y-%m-%dT%H:%M:%SZ}"

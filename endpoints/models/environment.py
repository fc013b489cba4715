from django.db import models
from django.utils import timezone

from studio.core.models import Workspace


class Environment(models.Model):
    """A registered name for environment definitions (wire.md 9.6); most steps carry theirs inline."""

    workspace = models.ForeignKey(
        Workspace, models.CASCADE, related_name="environments", db_index=False
    )
    name = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="environment_unique_name")
        ]

    def __str__(self) -> str:
        return self.name


class EnvironmentVersion(models.Model):
    environment = models.ForeignKey(
        Environment, models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "number"], name="environmentversion_unique_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.environment} v{self.number}"

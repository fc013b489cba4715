from uuid import uuid4

from django.db import models
from django.utils import timezone

from runs.models.run import Run
from studio.core.models import Workspace


class Asset(models.Model):
    """Artifacts of a run under one id: the files of a registered model (wire.md 9.8).

    `artifacts` is a list of `{"prefix": "<origin>/<container>/<path>"}`, as posted.
    """

    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="assets")
    name = models.CharField(max_length=255)
    artifacts = models.JSONField(default=list)
    run = models.ForeignKey(Run, models.SET_NULL, null=True, blank=True, related_name="assets")
    tags = models.JSONField(default=dict, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    # The key of the attempt that made it, if a step did.
    attempt = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class RegisteredModel(models.Model):
    """A version of a model. `details` are posted fields that we store but do not use."""

    workspace = models.ForeignKey(
        Workspace, models.CASCADE, related_name="registered_models", db_index=False
    )
    name = models.CharField(max_length=255)
    number = models.PositiveIntegerField()
    asset = models.ForeignKey(Asset, models.PROTECT, related_name="registered_models")
    run = models.ForeignKey(
        Run, models.SET_NULL, null=True, blank=True, related_name="registered_models"
    )
    description = models.TextField(blank=True)
    tags = models.JSONField(default=dict, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    framework = models.CharField(max_length=255, blank=True)
    details = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150, blank=True)
    # The key of the attempt that registered it, if a step did.
    attempt = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name", "number"], name="registeredmodel_unique_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}:{self.number}"

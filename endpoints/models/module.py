from uuid import uuid4

from django.db import models
from django.utils import timezone

from endpoints.models.snapshot import Snapshot
from studio.core.models import Workspace


class Module(models.Model):
    """One step's code and interface (wire 8.4), found again by its fingerprint.

    `structured_interface` is the posted StructuredInterface, unchanged; `storage_id` the posted
    StorageId, which names the snapshot.
    """

    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="modules", db_index=False)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    identifier_hash = models.CharField(max_length=200, blank=True)
    is_deterministic = models.BooleanField(default=True)  # allow_reuse
    execution_type = models.CharField(max_length=40, default="escloud", blank=True)
    module_type = models.CharField(max_length=40, blank=True)
    step_type = models.CharField(max_length=60, default="PythonScriptStep")
    structured_interface = models.JSONField(default=dict)
    runconfig = models.TextField(blank=True)
    cloud_settings = models.JSONField(null=True, blank=True)
    storage_id = models.CharField(max_length=100, blank=True)
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, null=True, related_name="modules")
    is_interface_only = models.BooleanField(default=False)
    properties = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "identifier_hash", "-id"], name="module_hash"),
        ]

    def __str__(self):
        return self.name

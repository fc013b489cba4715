from uuid import UUID, uuid4

from django.db import models
from django.utils import timezone

from endpoints.graph import PYTHON_STEP
from endpoints.models.snapshot import Snapshot
from studio.core.models import Workspace
from studio.core.revisable import Definition, Revisable


class Module(models.Model):
    """One step's code and interface (wire.md 8.4). Its fingerprint finds it again.

    `structured_interface` is the posted StructuredInterface, unchanged; `storage_id` is the posted
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
    step_type = models.CharField(max_length=60, default=PYTHON_STEP)
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

    def __str__(self) -> str:
        return self.name


class ModuleStatus(models.TextChoices):
    """The wire's words (wire.md 3.6) for named modules and their versions."""

    ACTIVE = "Active"
    DEPRECATED = "Deprecated"  # a hint to authors; it can still be used
    DISABLED = "Disabled"


class NamedModule(Definition):
    """The SDK's Module: a name that pipelines share, with versions."""

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    status = models.CharField(
        max_length=10, choices=ModuleStatus.choices, default=ModuleStatus.ACTIVE
    )
    default_version = models.ForeignKey(
        "ModuleVersion", models.PROTECT, null=True, blank=True, related_name="default_of"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="named_module_unique_name")
        ]

    def __str__(self) -> str:
        return self.name


class ModuleVersion(Revisable):
    """One version of a named module. Its public id is its module's, which graphs refer to. The
    module never changes; the description and status here may."""

    named_module = models.ForeignKey(
        NamedModule, models.CASCADE, related_name="versions", db_index=False
    )
    module = models.OneToOneField(Module, models.PROTECT, related_name="named_version")
    version = models.CharField(max_length=100)  # free text, as v1 had it
    description = models.TextField(blank=True)
    category = models.CharField(max_length=255, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    status = models.CharField(
        max_length=10, choices=ModuleStatus.choices, default=ModuleStatus.ACTIVE
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["named_module", "version"], name="module_version_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.named_module} {self.version}"

    @property
    def uuid(self) -> UUID:
        return self.module.uuid

"""Where data lives: datastores, saved datasets, registered names and plain references (wire.md 10)."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from studio.core.db.folded import FoldedField, FoldedModel
from studio.core.models import Workspace


class Datastore(models.Model):
    """A named fsspec root. An empty `url` means the workspace's own folder in the studio's
    storage."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, related_name="datastores", db_index=False
    )
    name = models.CharField(max_length=255)
    url = models.CharField(max_length=1000, blank=True)
    store_type = models.CharField(max_length=40, default="AzureBlob")
    is_default = models.BooleanField(default=False)
    tags = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"],
                name="datastore_unique_name",
                violation_error_message=_("A datastore of this name exists already."),
            ),
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(is_default=True), name="datastore_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DatasetType(models.TextChoices):
    TABULAR = "tabular", _("Tabular")
    FILE = "file", _("File")


class SavedDataset(models.Model):
    """An immutable dataset definition, referenced by runs and parameters; registered or not.
    `dataflow` is the JSON text that the client posted (`{"blocks": [], "meta": {"RsDataflow":
    yaml}}`)."""

    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="saved_datasets")
    dataset_type = models.CharField(max_length=10, choices=DatasetType.choices)
    dataflow = models.TextField()
    properties = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150, blank=True)

    def __str__(self) -> str:
        return str(self.uuid)


class Dataset(FoldedModel):
    """A registered name whose versions point to saved datasets."""

    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, related_name="datasets", db_index=False
    )
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    is_visible = models.BooleanField(default=True)
    tags = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    folded = FoldedField(of=("name", "description"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"],
                name="dataset_unique_name",
                violation_error_message=_("A dataset of this name exists already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(models.Model):
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    saved = models.ForeignKey(SavedDataset, models.PROTECT, related_name="registrations")
    description = models.TextField(blank=True)
    tags = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150, blank=True)
    # The attempt that registered it with a step's own token: `<run uuid>.<number>`.
    attempt = models.CharField(max_length=50, blank=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "number"], name="datasetversion_unique_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"


class DataSource(models.Model):
    """A plain reference into a datastore (`DataReference`), named by graphs as `DatasetId`."""

    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, related_name="data_sources", db_index=False
    )
    name = models.CharField(max_length=255, blank=True)
    identifier_hash = models.CharField(max_length=200, blank=True)
    datastore = models.ForeignKey(Datastore, models.CASCADE, null=True, related_name="sources")
    relative_path = models.CharField(max_length=1000, blank=True)
    wire = models.JSONField(default=dict)  # the posted entity, unchanged
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["workspace", "identifier_hash"], name="datasource_hash")]

    def __str__(self) -> str:
        return self.name or str(self.uuid)

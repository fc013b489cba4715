from uuid import uuid4

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from studio.core.access import Actor
from studio.core.db.folded import FoldedField, FoldedModel
from studio.core.models import Workspace
from studio.core.revisable import Definition


class EntityStatus(models.TextChoices):
    """The wire's words (wire.md 3.6) for pipelines and endpoints."""

    ACTIVE = "Active", _("Active")
    DISABLED = "Disabled", _("Disabled")


class Graph(models.Model):
    """A posted graph and its interface (wire.md 5.1, 8.5, 8.6), both unchanged; readers parse them.
    Our own additions, such as retries, are in each node's Runconfig."""

    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="graphs")
    wire = models.JSONField()
    interface = models.JSONField(default=dict)
    dataset_defaults = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.uuid)


class PublishedPipeline(FoldedModel, Definition):
    """A graph with a name that callers run. Immutable except for its status."""

    graph = models.ForeignKey(Graph, models.PROTECT, related_name="pipelines")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    version = models.CharField(max_length=100, blank=True)  # free text, as v1 had it
    step_count = models.PositiveIntegerField(default=0)
    continue_on_step_failure = models.BooleanField(default=False)
    status = models.CharField(
        max_length=10, choices=EntityStatus.choices, default=EntityStatus.ACTIVE
    )
    # `{name: default}` of every graph parameter, as wire strings for callers.
    parameter_defaults = models.JSONField(default=dict, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    source_run_uuid = models.UUIDField(
        null=True, blank=True
    )  # no foreign key: definitions do not know runs
    folded = FoldedField(of=("name", "description", "created_by", "updated_by", "properties"))

    class Meta:
        indexes = [models.Index(fields=["workspace", "-id"], name="pipeline_newest")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/pipelines/published/{self.uuid}/"

    def reached_by(self, actor: Actor, verb: str) -> bool:
        """A token of one endpoint runs a pipeline through that endpoint only."""
        return verb == "read" or actor.endpoint_uuid is None

    @property
    def is_active(self) -> bool:
        return self.status == EntityStatus.ACTIVE

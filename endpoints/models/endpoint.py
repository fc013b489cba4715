from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from endpoints.models.pipeline import EntityStatus, PublishedPipeline
from studio.core.access import Actor
from studio.core.db.folded import FoldedField, FoldedModel
from studio.core.revisable import Definition


class PipelineEndpoint(FoldedModel, Definition):
    """A stable address in front of numbered versions, each a published pipeline."""

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    status = models.CharField(
        max_length=10, choices=EntityStatus.choices, default=EntityStatus.ACTIVE
    )
    default_version = models.ForeignKey(
        "EndpointVersion", models.PROTECT, null=True, blank=True, related_name="default_of"
    )
    is_public = models.BooleanField(default=False)
    is_strict = models.BooleanField(default=False)
    tags = models.JSONField(default=dict, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    folded = FoldedField(of=("name", "description", "created_by", "updated_by", "tags"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"],
                name="endpoint_unique_name",
                violation_error_message=_("A pipeline endpoint of this name exists already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/endpoints/{self.uuid}/"

    def reached_by(self, actor: Actor, verb: str) -> bool:
        """A token of one endpoint reaches no other."""
        return actor.endpoint_uuid in (None, self.uuid)

    @property
    def is_active(self) -> bool:
        return self.status == EntityStatus.ACTIVE


class EndpointVersion(models.Model):
    """Version `number` of an endpoint. It has no status of its own: its pipeline's counts."""

    endpoint = models.ForeignKey(
        PipelineEndpoint, models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField()
    pipeline = models.ForeignKey(
        PublishedPipeline, models.PROTECT, related_name="endpoint_versions"
    )
    added_at = models.DateTimeField(default=timezone.now)
    added_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "number"], name="version_unique_number"),
            models.UniqueConstraint(
                fields=["endpoint", "pipeline"],
                name="version_unique_pipeline",
                violation_error_message=_("This pipeline is already a version of the endpoint."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} v{self.number}"

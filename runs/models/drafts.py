from uuid import uuid4

from django.db import models
from django.utils import timezone

from studio.core.models import Workspace


class GraphDraft(models.Model):
    """A graph that is still being changed: as it was posted last, and perhaps not fit to run yet.

    `earlier_defaults` are the values its parameters had before the last change: a client that changes
    a draft's graph has read the draft before, and sends them back with it.
    """

    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="graph_drafts")
    wire = models.JSONField()
    interface = models.JSONField(default=dict)
    earlier_defaults = models.JSONField(default=dict, blank=True)
    etag = models.UUIDField(default=uuid4)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.uuid)


class PipelineDraft(models.Model):
    """A pipeline that can be changed, and run and published at any time (wire.md 8.7)."""

    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, related_name="pipeline_drafts", db_index=False
    )
    # A client deletes the graph of a draft first, and the draft after it.
    graph = models.OneToOneField(GraphDraft, models.SET_NULL, null=True, related_name="draft")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=dict, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    # PipelineSubmissionInfo as it was sent, but that values of secret parameters are sealed.
    submission = models.JSONField(default=dict, blank=True)
    # Values: what it was made from, and its last run, may go.
    parent_pipeline_uuid = models.UUIDField(null=True, blank=True)
    parent_run_uuid = models.UUIDField(null=True, blank=True)
    parent_step_uuids = models.JSONField(default=list, blank=True)
    parent_draft_uuid = models.UUIDField(null=True, blank=True)
    last_run_uuid = models.UUIDField(null=True, blank=True)
    etag = models.UUIDField(default=uuid4)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150, blank=True)
    updated_by = models.CharField(max_length=150, blank=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "-id"], name="draft_newest")]

    def __str__(self) -> str:
        return self.name

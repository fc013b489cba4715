from django.db import models

from studio.core.revisable import Definition


class GraphDraft(Definition):
    """A graph that is still being changed: as it was posted last, and perhaps not fit to run yet.

    `earlier_defaults` are the values its parameters had before the last change: a client that changes
    a draft's graph has read the draft before, and sends them back with it.
    """

    wire = models.JSONField()
    interface = models.JSONField(default=dict)
    earlier_defaults = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return str(self.uuid)


class PipelineDraft(Definition):
    """A pipeline that can be changed, and run and published at any time (wire.md 8.7)."""

    # A client deletes the graph of a draft first, and the draft after it.
    graph = models.OneToOneField(GraphDraft, models.SET_NULL, null=True, related_name="draft")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=dict, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    settings = models.JSONField(default=dict, blank=True)  # RunSettings of its runs
    # Values: what it was made from, and its last run, may go.
    parent_pipeline_uuid = models.UUIDField(null=True, blank=True)
    parent_run_uuid = models.UUIDField(null=True, blank=True)
    parent_step_uuids = models.JSONField(default=list, blank=True)
    parent_draft_uuid = models.UUIDField(null=True, blank=True)
    last_run_uuid = models.UUIDField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "-id"], name="draft_newest")]

    def __str__(self) -> str:
        return self.name

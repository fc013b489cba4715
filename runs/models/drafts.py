from django.db import models

from studio.core.revisable import Definition


class GraphDraft(Definition):
    """A graph that is still being edited: the last one posted, which may not be able to run yet.

    `earlier_defaults` are the parameters' defaults before the last change. A client that changes the graph
    has read the draft before, so it may send these old defaults back as values.
    """

    wire = models.JSONField()
    interface = models.JSONField(default=dict)
    earlier_defaults = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return str(self.uuid)


class PipelineDraft(Definition):
    """A pipeline that can be edited, and run or published at any time (wire.md 8.7)."""

    # Nullable, because clients delete the graph first and then the draft.
    graph = models.OneToOneField(GraphDraft, models.SET_NULL, null=True, related_name="draft")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=dict, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    settings = models.JSONField(default=dict, blank=True)  # RunSettings of its runs
    # Uuids instead of foreign keys: what it was made from, and its last run, may be deleted.
    parent_pipeline_uuid = models.UUIDField(null=True, blank=True)
    parent_run_uuid = models.UUIDField(null=True, blank=True)
    parent_step_uuids = models.JSONField(default=list, blank=True)
    parent_draft_uuid = models.UUIDField(null=True, blank=True)
    last_run_uuid = models.UUIDField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "-id"], name="draft_newest")]

    def __str__(self) -> str:
        return self.name

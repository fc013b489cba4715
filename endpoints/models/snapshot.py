from uuid import uuid4

from django.db import models
from django.utils import timezone

from studio.core.models import Workspace


class Snapshot(models.Model):
    """A source folder at one moment: the tree of its files, whose contents are stored by hash.

    `files` maps each relative path to `{"sha256": hex, "size": bytes, "mode": int}`. `wire_tree` is
    the client's own tree (DirTreeNode).
    """

    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="snapshots")
    files = models.JSONField(default=dict)
    wire_tree = models.JSONField(null=True, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    content_hash = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.uuid)

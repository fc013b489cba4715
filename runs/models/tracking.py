"""What is recorded about a run: searchable attributes, metrics, artifacts."""

from uuid import uuid4

from django.db import models
from django.utils import timezone

from runs.models.run import Run
from runs.models.step import StepAttempt


class RunAttribute(models.Model):
    """A tag or parameter value as a row, because a JSON lookup cannot use an index on both databases."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="attributes")
    kind = models.CharField(max_length=10, choices=[("tag", "tag"), ("parameter", "parameter")])
    key = models.CharField(max_length=255)
    value = models.CharField(max_length=255)

    class Meta:
        indexes = [models.Index(fields=["kind", "key", "value", "-run"], name="attribute_search")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class Metric(models.Model):
    """A named metric of a run (wire.md 9.7); its values are MetricValues."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="metrics", db_index=False)
    name = models.CharField(max_length=255)
    columns = models.JSONField(default=dict)
    properties = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="metric_unique_name")]

    def __str__(self) -> str:
        return self.name


class MetricValue(models.Model):
    metric = models.ForeignKey(Metric, models.CASCADE, related_name="values", db_index=False)
    point_uuid = models.UUIDField(default=uuid4)
    step = models.BigIntegerField(null=True, blank=True)
    data = models.JSONField()
    # The key of the attempt that logged it, if a step did.
    attempt = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        # By the time they were logged, because clients send batches in parallel.
        ordering = ("created_at", "id")
        indexes = [models.Index(fields=["metric", "created_at", "id"], name="metricvalue_in_order")]

    def __str__(self) -> str:
        return str(self.data)


class Artifact(models.Model):
    """A file of a run. `blob` is its name in the storage."""

    uuid = models.UUIDField(default=uuid4, unique=True)
    run = models.ForeignKey(Run, models.CASCADE, related_name="artifacts", db_index=False)
    path = models.CharField(max_length=1000)
    blob = models.CharField(max_length=1100)  # longer than `path`, which it contains
    size = models.BigIntegerField(default=0)
    # The key of the attempt that stored it, if a step did.
    attempt = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "path"], name="artifact_unique_path")]

    def __str__(self) -> str:
        return self.path


class ReplacedArtifact(models.Model):
    """The file that an artifact was before an attempt of a step replaced it, so that it can be restored if
    the attempt is lost: see `runs.tracking.replaced_artifacts`."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="+", db_index=False)
    path = models.CharField(max_length=1000)
    replaced_by = models.ForeignKey(StepAttempt, models.CASCADE, related_name="+")
    blob = models.CharField(max_length=1100)
    size = models.BigIntegerField()
    # The key of the attempt that stored this file, if a step did.
    attempt = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "path", "replaced_by"], name="replaced_artifact_once_each"
            )
        ]

    def __str__(self) -> str:
        return self.path

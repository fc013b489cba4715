from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from endpoints.models import Module
from runs.models.run import Run


class StepRun(models.Model):
    """The additional columns of a step. `needs` are the node ids it waits for.

    `inputs` and `outputs` map each port to where its data is:
    `{"datastore": name, "path": relative path}` (an input may also name a dataset: `"saved": uuid`).
    """

    run = models.OneToOneField(Run, models.CASCADE, primary_key=True, related_name="step")
    node_id = models.CharField(max_length=100)
    module = models.ForeignKey(Module, models.PROTECT, null=True, related_name="steps")
    needs = models.JSONField(default=list, blank=True)
    inputs = models.JSONField(default=dict, blank=True)
    outputs = models.JSONField(default=dict, blank=True)
    # Reuse: steps with the same fingerprint have the same result. `reuse_reason` explains the decision.
    fingerprint = models.CharField(max_length=64, blank=True)
    fingerprint_parts = models.JSONField(default=dict, blank=True)
    is_reuse_source = models.BooleanField(default=False)
    reused_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="reuses"
    )
    reuse_reason = models.CharField(max_length=500, blank=True)
    retries = models.PositiveSmallIntegerField(default=0)
    retries_used = models.PositiveSmallIntegerField(default=0)
    retry_delay_seconds = models.PositiveIntegerField(default=1)
    timeout_seconds = models.PositiveIntegerField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    # Set while outputs are moved to their destinations: see `runs.engine.delivery`.
    delivery = models.JSONField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["fingerprint", "is_reuse_source", "-run"], name="step_reuse"),
        ]

    def __str__(self) -> str:
        return str(self.run)


class Outcome(models.TextChoices):
    COMPLETED = "Completed", _("Completed")
    FAILED = "Failed", _("Failed")
    CANCELED = "Canceled", _("Canceled")
    TIMED_OUT = "TimedOut", _("Timed out")
    INTERRUPTED = "Interrupted", _("Interrupted")  # the worker stopped; uses up no retry
    LOST = "Lost", _("Lost")  # the worker sent no more heartbeats


class StepAttempt(models.Model):
    """One attempt of a worker to run a step."""

    uuid = models.UUIDField(default=uuid4, unique=True)
    step = models.ForeignKey(StepRun, models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    worker = models.CharField(max_length=200)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    # The values it changed on runs, by run key, with the values before: see `runs.tracking.withdrawal`.
    replaced = models.JSONField(default=dict, blank=True)
    # Where it may have left files that do not count, and when to remove them from the storage: see
    # `runs.engine.storage_cleanup`.
    abandoned = models.JSONField(default=dict, blank=True)
    cleanup_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["step", "number"], name="attempt_unique_number")
        ]
        indexes = [
            # Of all attempts, only those in progress are looked for by worker: every 10 s by `recover`.
            models.Index(
                fields=["worker"],
                name="attempt_in_progress",
                condition=Q(finished_at__isnull=True),
            ),
            models.Index(
                fields=["cleanup_at"],
                name="attempt_to_clean_up",
                condition=Q(cleanup_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} attempt {self.number}"

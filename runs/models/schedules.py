from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from endpoints.models.endpoint import PipelineEndpoint
from endpoints.models.pipeline import EntityStatus, PublishedPipeline
from runs.recurrence import Recurrence
from studio.core.db.folded import FoldedField, FoldedModel
from studio.core.revisable import Definition


class Trigger(models.TextChoices):
    """The values of ScheduleType (wire.md 3.6)."""

    RECURRENCE = "Recurrence", _("Recurrence")
    DATASTORE = "DataStore", _("Data change")


class Schedule(FoldedModel, Definition):
    """Submits a pipeline, or an endpoint's default or pinned version, when its trigger fires.

    `next_at` is when the control process must next process it: a recurrence fires, or a datastore is
    polled. It is empty if there is no such time, for example while the schedule is disabled.
    """

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    endpoint = models.ForeignKey(
        PipelineEndpoint, models.PROTECT, null=True, blank=True, related_name="schedules"
    )
    endpoint_version = models.PositiveIntegerField(null=True, blank=True)  # empty: the default
    pipeline = models.ForeignKey(
        PublishedPipeline, models.PROTECT, null=True, blank=True, related_name="schedules"
    )
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    recurrence = models.JSONField(default=dict, blank=True)  # Recurrence.as_json
    time_zone = models.CharField(max_length=80, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    datastore_name = models.CharField(max_length=255, blank=True)
    path = models.CharField(max_length=1000, blank=True)
    includes_subfolders = models.BooleanField(default=False)  # v1 ignored subfolders
    polling_minutes = models.PositiveIntegerField(default=5)
    datapath_parameter = models.CharField(max_length=255, blank=True)
    one_run_per_batch = models.BooleanField(default=True)
    # {path: version} at the last poll. Empty before the first poll, which only records and starts no run.
    seen = models.JSONField(null=True, blank=True)
    polled_at = models.DateTimeField(null=True, blank=True)
    settings = models.JSONField(default=dict)  # RunSettings of its runs
    skips_while_running = models.BooleanField(default=False)
    status = models.CharField(
        max_length=10, choices=EntityStatus.choices, default=EntityStatus.ACTIVE
    )
    folded = FoldedField(of=("name",))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(endpoint__isnull=False, pipeline__isnull=True)
                | Q(endpoint__isnull=True, pipeline__isnull=False, endpoint_version__isnull=True),
                name="schedule_one_target",
                violation_error_message=_(
                    "A schedule runs a pipeline endpoint or a published pipeline, exactly one of the two."
                ),
            ),
            models.CheckConstraint(
                condition=Q(status=EntityStatus.ACTIVE) | Q(next_at__isnull=True),
                name="schedule_disabled_is_never_due",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-id"], name="schedule_newest"),
            models.Index(
                fields=["next_at"], name="schedule_due", condition=Q(next_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/pipelines/schedules/{self.uuid}/"

    @property
    def is_active(self) -> bool:
        return self.status == EntityStatus.ACTIVE

    @property
    def is_recurrence(self) -> bool:
        return self.trigger == Trigger.RECURRENCE

    @property
    def target(self) -> PipelineEndpoint | PublishedPipeline:
        return self.endpoint or self.pipeline  # type: ignore[return-value]  # a constraint: one is set

    @cached_property
    def rule(self) -> Recurrence:
        """When a recurrence fires. If it has no start of its own, `starts_at` or `created_at` is used."""
        return Recurrence.parse(self.recurrence, created_at=self.starts_at or self.created_at)

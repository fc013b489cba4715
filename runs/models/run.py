"""Run: everything that run history can address. PipelineRun and StepRun extend it one to one.

They are separate models and not subclasses of Run, so that one UPDATE of one table changes a status."""

from typing import ClassVar
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from endpoints.models import Graph, PipelineEndpoint, PublishedPipeline
from runs.models.experiment import Experiment
from runs.models.schedules import Schedule
from runs.querysets import RunQuerySet
from runs.states import TERMINAL, Status
from studio.core.access import Actor
from studio.core.db.folded import FoldedField, FoldedModel
from studio.core.models import Workspace

# The verbs that `Run.reached_by` restricts. Others are not restricted: whoever sees a run may register a
# model from it, and whoever may run a pipeline may run it again.
REACHING = {"cancel", "tag", "change", "track", "drive"}


class Kind(models.TextChoices):
    PIPELINE = "Pipeline", _("Pipeline")
    STEP = "Step", _("Step")
    CHILD = "Child", _("Child")
    SCRIPT = "Script", _("Script")


class Source(models.TextChoices):
    STUDIO = "Studio", _("Studio")
    REST = "REST", _("REST")
    SDK = "SDK", _("SDK")
    SCHEDULE = "Schedule", _("Schedule")
    RESUBMIT = "Resubmit", _("Re-run")


class Run(FoldedModel):
    uuid = models.UUIDField(default=uuid4, unique=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="runs", db_index=False)
    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="runs", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    parent = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="children"
    )
    # A pipeline run is its own root; set right after the insert, hence null.
    root = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="tree")
    # Counted per experiment; for a step, its position in the run.
    number = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.NOT_STARTED)
    # The attempt that may write this step's status; a claim increments it.
    attempt = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=255, blank=True)
    display_name = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    # The compute target's name, which is the queue of a step.
    target = models.CharField(max_length=64, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    # Here and not on PipelineRun, so that "failed runs of this endpoint" needs one index on one table.
    pipeline = models.ForeignKey(
        PublishedPipeline,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs",
        db_index=False,
    )
    endpoint = models.ForeignKey(
        PipelineEndpoint, models.PROTECT, null=True, blank=True, related_name="runs", db_index=False
    )
    endpoint_version = models.PositiveIntegerField(null=True, blank=True)
    schedule = models.ForeignKey(
        Schedule, models.SET_NULL, null=True, blank=True, related_name="runs", db_index=False
    )
    idempotency_key = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001 - unique when present
    idempotency_digest = models.CharField(max_length=64, blank=True)  # of the request that made it
    submitted_by = models.CharField(max_length=150, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.TextField(blank=True)
    folded = FoldedField(of=("display_name", "name"))

    objects: ClassVar = RunQuerySet.as_manager()
    is_replayed = False  # True if it was found by its idempotency key instead of created
    # Set for display by `runs.serving.tell_unserved` and `runs.views.tree`.
    unserved: list[str]
    url: str
    is_current: bool
    is_reused: bool

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=False, status__in=sorted(TERMINAL))
                | Q(finished_at__isnull=True, status__in=sorted(set(Status) - TERMINAL)),
                name="run_finished_iff_terminal",
            ),
            models.UniqueConstraint(
                fields=["workspace", "idempotency_key"], name="run_unique_idempotency_key"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "kind", "-id"], name="run_newest"),
            models.Index(fields=["workspace", "kind", "status", "-id"], name="run_by_status"),
            models.Index(fields=["experiment", "kind", "-id"], name="run_of_experiment"),
            models.Index(fields=["pipeline", "-id"], name="run_of_pipeline"),
            models.Index(fields=["endpoint", "-id"], name="run_of_endpoint"),
            models.Index(fields=["endpoint", "status", "-id"], name="run_of_endpoint_by_status"),
            models.Index(
                fields=["schedule", "-id"],
                name="run_of_schedule",
                condition=Q(schedule__isnull=False),
            ),
            # For claiming the oldest queued step of a queue.
            models.Index(fields=["target", "status", "id"], name="run_queue"),
            models.Index(
                fields=["workspace", "kind", "-id"],
                name="run_live",
                condition=Q(finished_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.name or str(self.uuid)

    def get_absolute_url(self) -> str:
        return f"/runs/{self.uuid}/"

    @property
    def owner(self) -> "Run":
        """The run that this one is a step of."""
        if self.parent is None:
            raise ValueError(f"{self} is no step.")
        return self.parent

    @property
    def owner_id(self) -> int:
        if self.parent_id is None:
            raise ValueError(f"{self} is no step.")
        return self.parent_id

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def is_ours(self) -> bool:
        """Whether our workers run it; the status of any other run is reported by its client."""
        return self.kind in (Kind.PIPELINE, Kind.STEP) or hasattr(self, "pipeline_run")

    def reached_by(self, actor: Actor, verb: str) -> bool:
        """Whether an actor whose role allows `verb` may do it to this run.

        A step's token may change its own run and that run's descendants, and add tags, metrics, params
        and artifacts to the parent (wire.md 2.3). A token of one endpoint reaches that endpoint's runs.
        To track or drive a run, anybody else must have started it as a run of their own, or be allowed
        to run code, because their code could do the same.
        """
        if verb not in REACHING:
            return True
        if actor.run_uuid is not None:
            return self._is_within(actor.run_uuid) or (
                verb in ("tag", "track")
                and Run.objects.filter(uuid=actor.run_uuid, parent=self).exists()
            )
        if actor.endpoint_uuid is not None:
            endpoint = (self.root or self).endpoint
            return endpoint is not None and endpoint.uuid == actor.endpoint_uuid
        if verb in ("track", "drive") and not actor.may("run code"):
            return not self.is_ours and actor.user is not None and self.user_id == actor.user.pk
        return True

    def _is_within(self, uuid: UUID) -> bool:
        """Whether `uuid` belongs to this run or to one of its ancestors."""
        return self.uuid == uuid or Run.objects.above(self.pk).filter(uuid=uuid).exists()

    @property
    def data_container_id(self) -> str:
        """The name of this run's artifact container on the wire."""
        return f"dcid.{self.uuid}"

    @property
    def duration_seconds(self) -> float | None:
        """Seconds from start to end, or until now if it still runs; None before the start."""
        if self.started_at is None:
            return None
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()


class PipelineRun(models.Model):
    """The additional columns of a run of a graph. Its steps are not scheduled before `submitted_at`."""

    run = models.OneToOneField(Run, models.CASCADE, primary_key=True, related_name="pipeline_run")
    graph = models.ForeignKey(Graph, models.PROTECT, related_name="pipeline_runs")
    submitted_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.REST)
    run_source = models.CharField(max_length=100, blank=True)  # the caller's RunSource, free text
    run_type = models.CharField(max_length=100, blank=True)
    original = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="resubmissions"
    )
    # The effective value of every parameter, as a string; `provenance` says where each came from.
    parameters = models.JSONField(default=dict, blank=True)
    datasets = models.JSONField(default=dict, blank=True)  # DataSetDefinitionValueAssignments
    datapaths = models.JSONField(default=dict, blank=True)  # DataPathAssignments
    provenance = models.JSONField(default=dict, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    raw_request = models.JSONField(default=dict, blank=True)
    continue_on_step_failure = models.BooleanField(default=False)
    regenerate_outputs = models.BooleanField(default=False)
    timeout_seconds = models.PositiveIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.run)

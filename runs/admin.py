"""Admin of runs. Rows are read-only, because services and workers write them; a run can be
canceled, by the service, with its checks and audit event."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError

from runs import models, schedules, services
from runs.models import Schedule
from runs.schedules import scheduler
from studio.core import audit
from studio.core.access import actor_for
from studio.core.admin import ReadOnlyAdmin
from studio.core.errors import Refused


class OfRunAdmin(ReadOnlyAdmin):
    """Rows that belong to a run. There may be millions, so runs are neither counted nor offered as
    choices."""

    list_select_related = ["run"]
    raw_id_fields = ["run"]
    list_per_page = 50


@admin.register(models.Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "kind", "status", "experiment", "submitted_by", "created_at"]
    list_select_related = ["experiment"]
    list_filter = ["kind", "status", "workspace"]
    list_per_page = 50
    search_fields = ["=uuid", "^display_name"]
    ordering = ["-pk"]
    raw_id_fields = ["experiment", "parent", "root", "pipeline", "endpoint", "user"]
    actions = ["cancel"]

    @admin.action(description="Cancel the selected runs", permissions=["view"])
    def cancel(self, request, queryset):
        for run in queryset.select_related("workspace", "root__endpoint"):
            try:
                services.cancel(actor_for(request.user, run.workspace), run)
            except Refused as error:
                messages.error(request, f"{run}: {error}")


@admin.register(models.PipelineRun)
class PipelineRunAdmin(OfRunAdmin):
    list_display = ["run", "source", "submitted_at", "run_source"]
    list_filter = ["source"]
    ordering = ["-pk"]
    exclude = ["parameters"]  # contains sealed secrets; the run's page shows the other values
    raw_id_fields = ["run", "graph", "original"]


class AttemptInline(admin.TabularInline):
    model = models.StepAttempt
    extra = 0
    can_delete = False
    readonly_fields = [
        *("uuid", "number", "worker", "started_at", "finished_at"),
        *("outcome", "exit_code", "error"),
    ]

    def has_add_permission(self, request, obj=None):
        return False


@admin.register(models.StepRun)
class StepRunAdmin(OfRunAdmin):
    list_display = ["run", "node_id", "module", "exit_code", "retries_used", "reuse_reason"]
    list_select_related = ["run", "module"]
    ordering = ["-pk"]
    raw_id_fields = ["run", "module", "reused_from"]
    inlines = [AttemptInline]


@admin.register(models.StepAttempt)
class StepAttemptAdmin(ReadOnlyAdmin):
    list_display = ["step", "number", "worker", "outcome", "exit_code", "started_at"]
    list_select_related = ["step__run"]
    list_filter = ["outcome"]
    ordering = ["-pk"]


@admin.register(models.Experiment)
class ExperimentAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace", "runs_made", "created_at", "archived_at"]
    list_select_related = ["workspace"]
    search_fields = ["name", "=uuid"]


@admin.register(models.StatusChange)
class StatusChangeAdmin(OfRunAdmin):
    list_display = ["run", "from_status", "to_status", "at", "reason"]
    ordering = ["-pk"]


@admin.register(models.RunAttribute)
class RunAttributeAdmin(OfRunAdmin):
    list_display = ["run", "kind", "key", "value"]
    list_filter = ["kind"]
    search_fields = ["=key", "=value"]
    ordering = ["-pk"]


@admin.register(models.Metric)
class MetricAdmin(OfRunAdmin):
    list_display = ["run", "name"]
    search_fields = ["^name"]
    ordering = ["-pk"]


@admin.register(models.MetricValue)
class MetricValueAdmin(ReadOnlyAdmin):
    list_display = ["metric", "step", "data", "created_at"]
    list_select_related = ["metric"]
    list_per_page = 50
    ordering = ["-pk"]


@admin.register(models.Artifact)
class ArtifactAdmin(OfRunAdmin):
    list_display = ["run", "path", "size", "created_at"]
    search_fields = ["^path"]
    ordering = ["-pk"]


@admin.register(models.ReplacedArtifact)
class ReplacedArtifactAdmin(OfRunAdmin):
    list_display = ["run", "path", "size", "created_at"]
    search_fields = ["^path"]
    ordering = ["-pk"]


@admin.register(models.Asset)
class AssetAdmin(ReadOnlyAdmin):
    list_display = ["name", "run", "created_at"]
    list_select_related = ["run"]
    search_fields = ["=uuid", "^name"]
    ordering = ["-pk"]


@admin.register(models.RegisteredModel)
class RegisteredModelAdmin(ReadOnlyAdmin):
    list_display = ["name", "number", "asset", "run", "created_at", "created_by"]
    list_select_related = ["asset", "run"]
    search_fields = ["^name"]
    ordering = ["-pk"]


@admin.register(models.Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ["name", "role", "host", "pid", "slots", "heartbeat_at", "stopping_at"]
    list_filter = ["role"]


@admin.register(models.ScheduleTick)
class ScheduleTickAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "due_at", "outcome", "reason", "run"]
    list_select_related = ["schedule", "run"]
    list_filter = ["outcome"]
    list_per_page = 50
    ordering = ["-pk"]
    raw_id_fields = ["schedule", "run"]


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Schedules. They are created and changed on their pages, where the target is checked."""

    list_display = ["name", "trigger", "status", "next_at", "workspace", "updated_by", "updated_at"]
    list_select_related = ["workspace"]
    list_filter = ["status", "trigger", "workspace"]
    search_fields = ["name", "uuid"]
    raw_id_fields = ["endpoint", "pipeline"]
    exclude = ["settings", "seen"]  # sealed secrets; one line per file
    actions = ["disable", "enable", "run_now", "remove"]

    @admin.action(description="Disable the selected", permissions=["view"])
    def disable(self, request, queryset):
        self._each(request, queryset, schedules.disable_schedule)

    @admin.action(description="Enable the selected", permissions=["view"])
    def enable(self, request, queryset):
        self._each(request, queryset, schedules.enable_schedule)

    @admin.action(description="Run the selected now", permissions=["view"])
    def run_now(self, request, queryset):
        self._each(request, queryset, scheduler.run_now)

    @admin.action(description="Delete the selected", permissions=["view"])
    def remove(self, request, queryset):
        self._each(request, queryset, schedules.delete_schedule)

    def _each(self, request, queryset, service):
        for schedule in queryset.select_related("workspace"):
            actor = actor_for(request.user, schedule.workspace)
            try:
                service(actor, schedule)
            except (Refused, ValidationError) as error:
                if service is scheduler.run_now:
                    audit.refuse_for(actor, error, kind="Schedule", uuid=schedule.uuid)
                messages.error(request, f"{schedule}: {error}")


@admin.register(models.PipelineDraft)
class PipelineDraftAdmin(ReadOnlyAdmin):
    list_display = ["name", "uuid", "updated_by", "updated_at"]
    search_fields = ["name", "uuid"]


@admin.register(models.GraphDraft)
class GraphDraftAdmin(ReadOnlyAdmin):
    list_display = ["uuid", "workspace", "updated_at"]
    list_select_related = ["workspace"]
    search_fields = ["uuid"]

"""Admin of definitions. Published rows are immutable and therefore read-only; disabling and
enabling call the services, with their checks and audit events."""

from django.contrib import admin, messages

from endpoints import models, services
from studio.core.access import actor_for
from studio.core.admin import AuditedAdmin, ReadOnlyAdmin
from studio.core.errors import Refused


class StatusAdmin(ReadOnlyAdmin):
    """A list whose rows can be disabled and enabled."""

    actions = ["disable", "enable"]
    list_select_related = ["workspace"]
    list_filter = ["status", "workspace"]
    search_fields = ["name", "uuid"]

    @admin.action(description="Disable the selected", permissions=["view"])
    def disable(self, request, queryset):
        self._each(request, queryset, services.disable)

    @admin.action(description="Enable the selected", permissions=["view"])
    def enable(self, request, queryset):
        self._each(request, queryset, services.enable)

    def _each(self, request, queryset, service):
        for row in queryset.select_related("workspace"):
            try:
                service(actor_for(request.user, row.workspace), row)
            except Refused as error:
                messages.error(request, f"{row}: {error}")


@admin.register(models.PublishedPipeline)
class PublishedPipelineAdmin(StatusAdmin):
    list_display = ["name", "version", "uuid", "status", "step_count", "created_by", "created_at"]


class VersionInline(admin.TabularInline):
    model = models.EndpointVersion
    fk_name = "endpoint"
    extra = 0
    can_delete = False
    readonly_fields = ["number", "pipeline", "added_at", "added_by"]

    def has_add_permission(self, request, obj=None):
        return False


@admin.register(models.PipelineEndpoint)
class PipelineEndpointAdmin(StatusAdmin):
    list_display = ["name", "uuid", "status", "default_version", "is_public", "updated_at"]
    list_select_related = ["workspace", "default_version__endpoint"]
    inlines = [VersionInline]


@admin.register(models.Graph)
class GraphAdmin(ReadOnlyAdmin):
    list_display = ["uuid", "workspace", "created_at"]
    list_select_related = ["workspace"]
    search_fields = ["uuid"]


@admin.register(models.Module)
class ModuleAdmin(ReadOnlyAdmin):
    list_display = ["name", "step_type", "uuid", "is_deterministic", "created_by", "created_at"]
    search_fields = ["name", "uuid"]


class ModuleVersionInline(admin.TabularInline):
    model = models.ModuleVersion
    fk_name = "named_module"
    extra = 0
    can_delete = False
    fields = ("version", "module", "status", "description", "created_at")
    readonly_fields = fields

    def has_add_permission(self, request, obj=None):
        return False


@admin.register(models.NamedModule)
class NamedModuleAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace", "uuid", "status", "default_version", "updated_at"]
    list_select_related = ["workspace", "default_version__named_module"]
    list_filter = ["status", "workspace"]
    search_fields = ["name", "uuid"]
    inlines = [ModuleVersionInline]


@admin.register(models.Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = ["uuid", "workspace", "created_at"]
    list_select_related = ["workspace"]


@admin.register(models.ComputeTarget)
class ComputeTargetAdmin(AuditedAdmin):
    list_display = ["name", "workspace", "compute_type", "created_at"]
    list_select_related = ["workspace"]
    readonly_fields = ["created_at"]
    autocomplete_fields = ["workspace"]


@admin.register(models.Datastore)
class DatastoreAdmin(AuditedAdmin):
    list_display = ["name", "workspace", "url", "store_type", "is_default"]
    list_select_related = ["workspace"]
    readonly_fields = ["uuid", "created_at"]
    autocomplete_fields = ["workspace"]


class DatasetVersionInline(admin.TabularInline):
    model = models.DatasetVersion
    extra = 0
    can_delete = False
    readonly_fields = ["number", "saved", "created_at", "created_by"]
    exclude = ["tags", "description"]

    def has_add_permission(self, request, obj=None):
        return False


@admin.register(models.Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace", "uuid", "created_at"]
    list_select_related = ["workspace"]
    search_fields = ["name", "uuid"]
    inlines = [DatasetVersionInline]


@admin.register(models.SavedDataset, models.DataSource)
class DataAdmin(ReadOnlyAdmin):
    list_display = ["uuid", "workspace", "created_at"]
    list_select_related = ["workspace"]
    search_fields = ["uuid"]


@admin.register(models.Environment)
class EnvironmentAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace"]
    list_select_related = ["workspace"]


@admin.register(models.EnvironmentVersion)
class EnvironmentVersionAdmin(ReadOnlyAdmin):
    list_display = ["environment", "number", "created_at"]
    list_select_related = ["environment"]

"""Admin for operators: everything derived is read-only, verbs call services."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from studio.core import tokens
from studio.core.access import actor_for
from studio.core.models import AuditEvent, RoleGrant, Secret, Token, User, Workspace


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that only services write."""

    show_full_result_count = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(User)
class StudioUserAdmin(UserAdmin):
    readonly_fields = ["uuid", "last_login", "date_joined"]


@admin.register(Workspace)
class WorkspaceAdmin(admin.ModelAdmin):
    list_display = ["name", "resource_group", "subscription_id", "uuid", "created_at"]
    readonly_fields = ["uuid", "created_at"]
    search_fields = ["name", "resource_group", "subscription_id"]


@admin.register(RoleGrant)
class RoleGrantAdmin(admin.ModelAdmin):
    list_display = ["user", "workspace", "role"]
    list_select_related = ["user", "workspace"]
    list_filter = ["role", "workspace"]
    autocomplete_fields = ["user", "workspace"]


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """Tokens are made on their page, where the plain text can be shown once."""

    list_display = ["name", "user", "workspace", "expires_at", "revoked_at", "last_used_at"]
    list_select_related = ["user", "workspace"]
    search_fields = ["name", "user__username"]
    exclude = ["digest"]
    actions = ["revoke"]

    @admin.action(description="Revoke the selected tokens", permissions=["view"])
    def revoke(self, request, queryset):
        for token in queryset.select_related("user", "workspace"):
            tokens.revoke(actor_for(request.user, token.workspace), token)


@admin.register(Secret)
class SecretAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace", "content_type", "updated_at"]
    list_select_related = ["workspace"]
    exclude = ["ciphertext"]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor", "verb", "kind", "object_name", "workspace"]
    list_select_related = ["workspace"]
    list_filter = ["verb", "kind"]
    search_fields = ["object_name", "actor"]

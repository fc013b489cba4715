"""Admin for operators: everything derived is read-only, verbs call services."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from studio.core import tokens
from studio.core.access import actor_for
from studio.core.audit import record
from studio.core.models import (
    AuditEvent,
    Favourite,
    RoleGrant,
    Secret,
    SignInTries,
    Token,
    User,
    Workspace,
)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that only services write."""

    show_full_result_count = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class AuditedAdmin(admin.ModelAdmin):
    """Rows that administrators write here: each write is on record, with what it changed."""

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        after = _texts(form.cleaned_data)
        before = _texts({name: form.initial.get(name) for name in after}) if change else {}
        changed = [name for name in after if before.get(name) != after[name]]
        self.note(
            request,
            "change" if change else "create",
            obj,
            before={name: before[name] for name in changed if change},
            after={name: after[name] for name in changed},
        )

    def delete_model(self, request, obj):
        self.note(request, "delete", obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request, queryset):
        for obj in queryset:
            self.delete_model(request, obj)

    def note(self, request, verb, obj, *, before=None, after=None):
        # A grant is a row of its workspace; a workspace is its own.
        actor = actor_for(request.user, getattr(obj, "workspace", obj))
        record(actor, verb, obj, before=before, after=after)


def _texts(values: dict) -> dict[str, str]:
    return {name: str(getattr(value, "pk", value)) for name, value in values.items()}


@admin.register(User)
class StudioUserAdmin(UserAdmin):
    readonly_fields = ["uuid", "last_login", "date_joined"]


@admin.register(Workspace)
class WorkspaceAdmin(AuditedAdmin):
    """Made by `manage.py workspace add`, with all that belongs to one; its audit trail stays."""

    list_display = ["name", "resource_group", "subscription_id", "uuid", "created_at"]
    readonly_fields = ["uuid", "created_at"]
    search_fields = ["name", "resource_group", "subscription_id"]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(RoleGrant)
class RoleGrantAdmin(AuditedAdmin):
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


@admin.register(Favourite)
class FavouriteAdmin(ReadOnlyAdmin):
    list_display = ["user", "workspace", "uuid", "created_at"]
    list_select_related = ["user", "workspace"]


@admin.register(Secret)
class SecretAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace", "content_type", "updated_at"]
    list_select_related = ["workspace"]
    exclude = ["ciphertext"]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = [
        *("at", "actor", "address", "door", "verb", "kind", "object_name", "status", "reason"),
        *("count", "workspace"),
    ]
    list_select_related = ["workspace"]
    list_filter = ["verb", "kind", "door"]
    search_fields = ["object_name", "actor", "address"]
    ordering = ["-pk"]


@admin.register(SignInTries)
class SignInTriesAdmin(ReadOnlyAdmin):
    list_display = ["minute", "key", "count"]

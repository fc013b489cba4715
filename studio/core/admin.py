"""Admin for operators: derived rows are read-only, commands call services."""

import re

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Group
from django.db import models, transaction

from studio.core import tokens
from studio.core.access import Caller, actor_for, person
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
from studio.core.ui.forms import TextArea

EMPTY = ("", "None", "{}", "[]")
PASSWORD, NEW_PASSWORD = "set", "changed"
IN_ADDRESS = re.compile(r"(://[^/@:\s]*):[^/@\s]+@")


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that only services write."""

    show_full_result_count = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class AdminTextArea(TextArea, AdminTextareaWidget):
    """A text area that looks like Django's."""


class AuditedAdmin(admin.ModelAdmin):
    """Rows that administrators edit here; each change is recorded in the audit trail.

    The rows in the database are compared, because form data contain plain passwords.
    """

    formfield_overrides = {models.TextField: {"widget": AdminTextArea}}

    def get_object(self, request, object_id, from_field=None):
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            request.facts_before = self.facts(found)
        return found

    def log_addition(self, request, obj, message):
        self.note(request, "create", obj, after=_shown(self._facts_now(obj)))
        return super().log_addition(request, obj, message)

    def log_change(self, request, obj, message):
        before, after = request.facts_before, self._facts_now(obj)
        changed = [name for name in after if before.get(name) != after[name]]
        self.note(
            request,
            "change",
            obj,
            before=_shown(before, changed),
            after=_shown(after, changed, password=NEW_PASSWORD),
        )
        return super().log_change(request, obj, message)

    def delete_model(self, request, obj):
        with transaction.atomic():
            self.note(request, "delete", obj, before=_shown(self.facts(obj)))
            super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request, queryset):
        for obj in queryset:
            self.delete_model(request, obj)

    def _facts_now(self, obj) -> dict[str, str]:
        return self.facts(type(obj)._base_manager.get(pk=obj.pk))

    def facts(self, obj) -> dict[str, str]:
        """Each field as text, and related rows."""
        fields = [field for field in obj._meta.concrete_fields if not field.primary_key]
        facts = {field.name: str(field.value_from_object(obj)) for field in fields}
        for field in obj._meta.many_to_many:
            facts[field.name] = ", ".join(sorted(map(str, getattr(obj, field.name).all())))
        return facts

    def note(self, request, verb, obj, *, before=None, after=None):
        # A grant belongs to its workspace, a workspace to itself, an account to none.
        place = obj if isinstance(obj, Workspace) else getattr(obj, "workspace", None)
        actor: Caller = actor_for(request.user, place) if place else person(request.user)
        record(actor, verb, obj, before=before, after=after)


def _shown(facts: dict[str, str], names=None, *, password: str = PASSWORD) -> dict[str, str]:
    """The recorded text of these fields, without passwords: no hash, and none in an address."""
    return {
        name: _password(value, password)
        if name == "password"
        else IN_ADDRESS.sub(r"\1:***@", value)
        for name, value in facts.items()
        if (name in names if names is not None else value not in EMPTY)
    }


def _password(value: str, word: str) -> str:
    return word if is_password_usable(value) else "none"


@admin.register(User)
class StudioUserAdmin(AuditedAdmin, UserAdmin):
    readonly_fields = ["uuid", "last_login", "date_joined"]

    @transaction.atomic
    def user_change_password(self, request, id, form_url=""):
        return super().user_change_password(request, id, form_url)

    def facts(self, obj):
        """With the roles, which are deleted along with a user."""
        rows = obj.grants.select_related("workspace").order_by("pk")
        roles = ", ".join(f"{row.workspace}: {row.get_role_display()}" for row in rows)
        return {**super().facts(obj), "roles": roles}


admin.site.unregister(Group)


@admin.register(Group)
class StudioGroupAdmin(AuditedAdmin, GroupAdmin):
    pass


@admin.register(Workspace)
class WorkspaceAdmin(AuditedAdmin):
    """Workspaces are created by `manage.py workspace add`, with everything that belongs to one. The
    audit trail outlives them."""

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
    """Tokens are created on their own page, where the plain text can be shown once."""

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

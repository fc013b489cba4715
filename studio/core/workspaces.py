"""Creating workspaces and administrators."""

import re
import secrets
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction

from studio.core.access import Caller, system_actor
from studio.core.audit import record
from studio.core.models import Role, RoleGrant, User, Workspace

# The characters that the public cloud allows: callers hold addresses made of these names.
NAMES = {
    "resource_group": (
        re.compile(r"[\w.()-]{0,89}[\w()-]"),
        "1-90 letters, digits, '_', '-', '.' and brackets, no '.' at the end",
    ),
    "name": (
        re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}"),
        "3-33 letters, digits, '-' and '_', the first a letter or digit",
    ),
}


def create_workspace(
    *, name: str, resource_group: str, subscription_id: str | None = None
) -> Workspace:
    """Create a workspace; without `subscription_id` it gets a random one."""
    workspace = Workspace(
        name=_checked("name", name),
        resource_group=_checked("resource_group", resource_group),
        subscription_id=_checked_uuid(subscription_id) if subscription_id else str(uuid4()),
    )
    workspace.full_clean()
    workspace.save()
    return workspace


def _checked(field: str, text: str) -> str:
    expression, allowed = NAMES[field]
    if not expression.fullmatch(text):
        what = field.replace("_", " ")
        raise ValidationError({field: f"{text!r} is no {what}: use {allowed}."})
    return text


def _checked_uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ValidationError(
            {"subscription_id": f"{text!r} is no subscription id: it must be a GUID."}
        ) from None


@transaction.atomic
def add_workspace(
    *, name: str, resource_group: str, subscription_id: str, by: str = "studio"
) -> Workspace:
    """Create a further workspace; every administrator of the installation becomes its Admin."""
    workspace = create_workspace(
        name=name, resource_group=resource_group, subscription_id=subscription_id
    )
    administrators = User.objects.filter(is_superuser=True, is_active=True)
    RoleGrant.objects.bulk_create(
        RoleGrant(user=user, workspace=workspace, role=Role.ADMIN) for user in administrators
    )
    admins = [user.get_username() for user in administrators]
    after = {"scope": workspace.scope, "admins": ", ".join(admins)}
    record(system_actor(workspace, by), "create", workspace, after=after)
    return workspace


@transaction.atomic
def create_admin(*, workspace: Workspace, username: str = "admin") -> tuple[User, str]:
    """Create the administrator; returns a random password, of which only the hash is stored."""
    password = secrets.token_urlsafe(12)
    user = User.objects.create_superuser(username=username, password=password)
    RoleGrant.objects.create(user=user, workspace=workspace, role=Role.ADMIN)
    after = {"is_superuser": "True", "roles": f"{workspace}: {Role.ADMIN.label}"}
    record(Caller(workspace=None, role=Role.ADMIN, name="studio"), "create", user, after=after)
    return user, password

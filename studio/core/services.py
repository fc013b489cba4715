"""Making workspaces and the people who run them."""

import secrets
from uuid import uuid4

from django.db import transaction

from studio.core.models import Role, RoleGrant, User, Workspace


def create_workspace(
    *, name: str, resource_group: str, subscription_id: str | None = None
) -> Workspace:
    """A new workspace; without a subscription id of its own it gets a random one."""
    workspace = Workspace(
        name=name,
        resource_group=resource_group,
        subscription_id=subscription_id or str(uuid4()),
    )
    workspace.full_clean()
    workspace.save()
    return workspace


@transaction.atomic
def create_admin(*, workspace: Workspace, username: str = "admin") -> tuple[User, str]:
    """The administrator and a random password, which is stored as a hash only."""
    password = secrets.token_urlsafe(12)
    user = User.objects.create_superuser(username=username, password=password)
    RoleGrant.objects.create(user=user, workspace=workspace, role=Role.ADMIN)
    return user, password

"""Fixtures of the pages of definitions."""

import pytest

from studio.core.models import Role
from tests import factories


@pytest.fixture
def as_role(client, workspace):
    """Sign the client in with a role in the workspace."""

    def sign_in(role=Role.ADMIN):
        actor = factories.actor(workspace, role)
        client.force_login(actor.user)
        return actor

    return sign_in

"""Who may do what: roles, tokens bound to one endpoint, a step's own token."""

import uuid
from dataclasses import replace

import pytest

from studio.core.access import NEEDS, actor_for, require, workspaces_of
from studio.core.errors import Forbidden
from studio.core.models import Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("verb", NEEDS)
def test_a_role_may_what_it_reaches(workspace, role, verb):
    assert factories.actor(workspace, role).may(verb) == (role >= NEEDS[verb])


def test_a_stranger_may_nothing_and_is_told_the_role(workspace):
    stranger = actor_for(factories.user("kim"), workspace)
    with pytest.raises(Forbidden, match="kim may not submit here: this needs the role Operator"):
        require(stranger, "submit")


def test_a_superuser_is_admin_everywhere(workspace):
    boss = factories.user(is_superuser=True)
    assert actor_for(boss, workspace).role == Role.ADMIN
    assert workspace in workspaces_of(boss)


def test_an_inactive_user_has_no_role(workspace):
    gone = factories.user(is_superuser=True, is_active=False)
    assert actor_for(gone, workspace).role is None


def test_another_workspace_is_forbidden(actor):
    elsewhere = factories.pipeline(factories.workspace())
    with pytest.raises(Forbidden, match="another workspace"):
        require(actor, "read", elsewhere)


def test_an_endpoint_token_neither_publishes_nor_edits(actor):
    bound = replace(actor, endpoint_uuid=uuid.uuid4())
    assert bound.may("submit")
    assert not bound.may("publish")
    assert not bound.may("administer")
    with pytest.raises(Forbidden, match="made for one endpoint"):  # no role would help
        require(bound, "publish")


def test_a_run_token_reads_tracks_drives_registers_and_uploads_only(actor):
    step = replace(actor, run_uuid=uuid.uuid4())
    allowed = ["read", "tag", "change", "track", "drive", "register", "upload"]
    assert [verb for verb in NEEDS if step.may(verb)] == allowed

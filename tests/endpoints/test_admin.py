"""The admin: every model is there, what is derived is read-only, verbs go through services."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from endpoints.models import (
    ComputeTarget,
    DatasetVersion,
    Datastore,
    EndpointVersion,
    ModuleVersion,
)
from studio.core import tokens
from studio.core.models import AuditEvent, Role, RoleGrant, User, Workspace
from tests import factories

pytestmark = pytest.mark.django_db
INLINE = {DatasetVersion, EndpointVersion, ModuleVersion}  # shown with what they are versions of
MODELS = [
    model
    for label in ("core", "endpoints", "runs")
    for model in apps.get_app_config(label).get_models()
]


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_has_a_list_that_opens(admin_client, model):
    if model in INLINE:
        assert any(
            model is inline.model for one in admin.site._registry.values() for inline in one.inlines
        )
        return
    assert admin_client.get(address(model, "changelist")).status_code == 200
    assert admin_client.get(address(model, "add")).status_code in (200, 403)


def test_published_things_are_shown_and_not_changed(admin_client, workspace):
    endpoint = factories.endpoint(workspace)
    for row in (endpoint, endpoint.default_version.pipeline):
        page = address(type(row), "change", row.pk)
        assert admin_client.get(page).status_code == 200
        assert admin_client.post(page, {"name": "x"}).status_code == 403


@pytest.mark.parametrize("verb", ["disable", "enable"])
def test_disabling_and_enabling_are_audited(admin_client, workspace, verb):
    row = factories.pipeline(workspace)
    if verb == "enable":
        type(row).objects.update(status="Disabled")
    admin_client.post(
        address(type(row), "changelist"), {"action": verb, "_selected_action": [row.pk]}
    )
    row.refresh_from_db()
    assert row.is_active == (verb == "enable")
    assert AuditEvent.objects.get().verb == verb


def test_a_token_is_ended_by_its_admin_and_audited(admin_client, actor):
    token, plain = tokens.issue(user=actor.user, workspace=actor.workspace, name="ci")
    chosen = {"action": "revoke", "_selected_action": [token.pk]}
    admin_client.post(address(type(token), "changelist"), chosen)
    assert tokens.from_plain(plain) is None
    assert AuditEvent.objects.get().verb == "revoke"


def test_staff_without_a_role_ends_nobodys_token(client, actor):
    token, plain = tokens.issue(user=actor.user, workspace=actor.workspace, name="ci")
    staff = User.objects.create_user("staff", password="pw", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_token"))
    client.force_login(staff)
    chosen = {"action": "revoke", "_selected_action": [token.pk]}
    assert client.post(address(type(token), "changelist"), chosen).status_code == 403
    assert tokens.from_plain(plain) == token


def post(client, model, page, *args, **values):
    reply = client.post(address(model, page, *args), values)
    assert reply.status_code == 302, reply.content
    return AuditEvent.objects.order_by("pk").last()


def test_grants_that_administrators_write_are_on_record(admin_client, admin_user, workspace):
    person = factories.user()
    values = {"user": person.pk, "workspace": workspace.pk}
    event = post(admin_client, RoleGrant, "add", **values, role=Role.READER)
    assert (event.verb, event.kind, event.workspace) == ("create", "RoleGrant", workspace)
    assert event.actor == admin_user.username
    assert event.after == {**{key: str(value) for key, value in values.items()}, "role": "10"}
    grant = RoleGrant.objects.get(user=person)
    event = post(admin_client, RoleGrant, "change", grant.pk, **values, role=Role.ADMIN)
    assert (event.verb, event.before, event.after) == ("change", {"role": "10"}, {"role": "40"})
    event = post(admin_client, RoleGrant, "delete", grant.pk, post="yes")
    assert (event.verb, event.object_name) == ("delete", f"{person} · Admin · {workspace}")
    other = factories.actor(workspace)
    chosen = {"action": "delete_selected", "_selected_action": [other.user.grants.get().pk]}
    post(admin_client, RoleGrant, "changelist", **chosen, post="yes")
    assert AuditEvent.objects.filter(verb="delete").count() == 2


def test_datastores_targets_and_workspaces_that_administrators_change_are_on_record(
    admin_client, workspace
):
    store = workspace.datastores.get()
    values = {"workspace": workspace.pk, "name": store.name, "store_type": "AzureBlob"}
    values |= {"tags": "{}", "is_default": "on", "url": "file:///elsewhere"}
    event = post(admin_client, Datastore, "change", store.pk, **values)
    assert (event.before, event.after) == ({"url": ""}, {"url": "file:///elsewhere"})
    assert event.object_uuid == store.uuid
    target = {"workspace": workspace.pk, "name": "gpu", "compute_type": "AmlCompute"}
    event = post(admin_client, ComputeTarget, "add", **target)
    assert (event.verb, event.object_name) == ("create", "gpu")
    values = {"name": "renamed", "resource_group": "g", "subscription_id": "s"}
    event = post(admin_client, Workspace, "change", workspace.pk, **values)
    assert (event.verb, event.kind, event.after["name"]) == ("change", "Workspace", "renamed")
    assert admin_client.get(address(Workspace, "add")).status_code == 403
    assert admin_client.post(address(Workspace, "delete", workspace.pk)).status_code == 403

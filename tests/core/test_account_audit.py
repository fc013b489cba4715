"""Users, roles, groups, permissions, passwords and tokens: whoever changes them leaves a row."""

import io
from unittest.mock import patch

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.urls import reverse

from studio.core.models import AuditEvent, Door, Role, Token, User
from tests import factories

pytestmark = pytest.mark.django_db
SECRET = "correct horse battery"
ADDRESS = "192.0.2.7"


def post(client, model, page, *args, **values) -> AuditEvent:
    names = (model._meta.app_label, model._meta.model_name, page)
    address = reverse("admin:{}_{}_{}".format(*names), args=args)
    reply = client.post(address, values, REMOTE_ADDR=ADDRESS)
    assert reply.status_code == 302, reply.content
    return AuditEvent.objects.latest("pk")


@pytest.fixture
def person(workspace):
    return factories.actor(workspace, Role.OPERATOR).user


@pytest.fixture(autouse=True)
def _nothing_secret_is_kept():
    yield
    text = str(AuditEvent.objects.values())
    assert SECRET not in text
    for user in User.objects.all():
        assert user.password not in text


def form_of(user: User, **changes) -> dict:
    joined = user.date_joined
    values = {
        "username": user.username,
        "is_active": "on",
        "date_joined_0": f"{joined:%Y-%m-%d}",
        "date_joined_1": f"{joined:%H:%M:%S}",
    }
    return values | changes


def test_a_user_that_is_made(admin_client, admin_user):
    values = {"username": "ada", "password1": SECRET, "password2": SECRET}
    event = post(admin_client, User, "add", **values, usable_password="true")
    ada = User.objects.get(username="ada")
    assert (event.verb, event.kind, event.object_name) == ("create", "User", str(ada))
    assert (event.object_uuid, event.workspace) == (ada.uuid, None)
    assert (event.actor, event.user, event.role) == ("admin", admin_user, Role.ADMIN)
    assert (event.address, event.door) == (ADDRESS, Door.ADMIN)
    assert event.after["username"] == "ada"
    assert event.after["password"] == "set"


def test_a_user_that_becomes_superuser_with_groups_and_permissions(admin_client, person):
    group = Group.objects.create(name="crew")
    permission = Permission.objects.get(codename="view_token")
    values = form_of(person, is_superuser="on", groups=[group.pk], user_permissions=[permission.pk])
    event = post(admin_client, User, "change", person.pk, **values)
    assert event.verb == "change"
    assert event.before == {"is_superuser": "False", "groups": "", "user_permissions": ""}
    assert event.after == {
        "is_superuser": "True",
        "groups": "crew",
        "user_permissions": str(permission),
    }


def test_a_password_that_an_administrator_sets(admin_client, person):
    values = {"password1": SECRET, "password2": SECRET, "usable_password": "true"}
    names = {"set-password": "Change password"}
    address = reverse("admin:auth_user_password_change", args=[person.pk])
    assert admin_client.post(address, values | names, REMOTE_ADDR=ADDRESS).status_code == 302
    event = AuditEvent.objects.latest("pk")
    assert (event.verb, event.object_uuid, event.address) == ("change", person.uuid, ADDRESS)
    assert (event.before, event.after) == ({"password": "set"}, {"password": "changed"})
    person.refresh_from_db()
    assert person.check_password(SECRET)


def test_a_user_that_is_deleted_with_roles(admin_client, person, workspace):
    event = post(admin_client, User, "delete", person.pk, post="yes")
    assert (event.verb, event.object_uuid) == ("delete", person.uuid)
    assert event.before["username"] == person.username
    assert event.before["roles"] == f"{workspace}: Operator"


def test_users_that_are_deleted_by_the_action_of_the_list(admin_client, person):
    other = factories.user()
    chosen = {"action": "delete_selected", "_selected_action": [person.pk, other.pk]}
    post(admin_client, User, "changelist", **chosen, post="yes")
    events = AuditEvent.objects.filter(verb="delete", kind="User")
    assert {event.object_uuid for event in events} == {person.uuid, other.uuid}
    assert not User.objects.filter(pk__in=[person.pk, other.pk]).exists()


def test_groups_are_on_record(admin_client):
    permission = Permission.objects.get(codename="view_token")
    event = post(admin_client, Group, "add", name="crew", permissions=[permission.pk])
    assert (event.verb, event.kind, event.object_name) == ("create", "Group", "crew")
    assert event.after == {"name": "crew", "permissions": str(permission)}
    group = Group.objects.get()
    event = post(admin_client, Group, "change", group.pk, name="crew")
    assert (event.before, event.after) == ({"permissions": str(permission)}, {"permissions": ""})
    event = post(admin_client, Group, "delete", group.pk, post="yes")
    assert (event.verb, event.before) == ("delete", {"name": "crew"})


def test_a_password_within_an_address_is_none_of_a_row(admin_client, workspace):
    store = workspace.datastores.get()
    values = {"workspace": workspace.pk, "name": store.name, "store_type": "AzureBlob"}
    values |= {"tags": "{}", "is_default": "on", "url": f"ftp://me:{SECRET[:7]}@there/x"}
    event = post(admin_client, type(store), "change", store.pk, **values)
    assert event.after == {"url": "ftp://me:***@there/x"}


@pytest.mark.parametrize("command", ["token", "sdkenv"])
def test_a_token_of_the_terminal(workspace, command):
    user = factories.user("root", is_superuser=True)
    call_command(command, *(["ci"] if command == "token" else []), stdout=io.StringIO())
    event = AuditEvent.objects.get()
    token = Token.objects.get()
    assert (event.verb, event.kind, event.object_uuid) == ("create", "Token", token.uuid)
    assert event.actor.startswith(f"manage.py {command} (")
    assert (event.door, event.address, event.workspace) == (Door.COMMAND, None, workspace)
    assert event.after["user"] == user.username


def test_a_token_of_the_page(client, person, workspace):
    client.force_login(person)
    client.post("/tokens/new/", {"name": "ci", "days": 30}, REMOTE_ADDR=ADDRESS)
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor, event.address) == ("create", person.username, ADDRESS)
    assert (event.workspace, event.object_name) == (workspace, "ci")
    assert event.after["user"] == person.username


def test_a_superuser_of_the_terminal(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", SECRET)
    arguments = {"interactive": False, "username": "boss", "email": "boss@example.com"}
    call_command("createsuperuser", **arguments, stdout=io.StringIO())
    event = AuditEvent.objects.get()
    assert (event.verb, event.object_name, event.door) == ("create", "boss", Door.COMMAND)
    assert event.after["is_superuser"] == "True"


def test_a_password_of_the_terminal(person):
    with patch("getpass.getpass", return_value=SECRET):
        call_command("changepassword", person.username, stdout=io.StringIO())
    event = AuditEvent.objects.get()
    assert (event.verb, event.object_uuid) == ("change password", person.uuid)
    person.refresh_from_db()
    assert person.check_password(SECRET)

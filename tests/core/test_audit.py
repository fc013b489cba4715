"""The audit trail: what a row says of who did it and from where, what is counted, and that rows stay."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import time_machine
from django.contrib import admin
from django.db import models
from django.test import RequestFactory

from studio.core import audit
from studio.core.access import Actor
from studio.core.models import AuditEvent, Door, Role
from studio.core.origin import at_the_command_line, current_request
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def from_address():
    """Answer a request of this address; the facts of its audit rows."""
    resets = []

    def answer(address: str):
        request = RequestFactory().get("/", REMOTE_ADDR=address)
        request.correlation_id = "c" * 32
        resets.append(current_request.set(request))

    yield answer
    for reset in reversed(resets):
        current_request.reset(reset)


@pytest.fixture(autouse=True)
def _within_one_minute():
    with time_machine.travel(datetime(2026, 11, 5, 12, 30, 5, tzinfo=UTC), tick=False):
        yield


def refuse(name: str, *, verb="sign-in failed", status=200):
    who = Actor(workspace=None, role=None, name=name)
    return audit.count(who, verb, kind="User", name=name, status=status, reason="wrong")


def test_a_row_says_who_with_which_role_and_where_from(actor, from_address):
    from_address("192.0.2.7")
    event = audit.record(actor, "mark", actor.workspace, after={"a": "b"})
    assert (event.actor, event.user, event.role) == (actor.name, actor.user, Role.ADMIN)
    assert (event.address, event.door, event.request_id) == ("192.0.2.7", Door.PAGE, "c" * 32)
    assert (event.workspace, event.kind) == (actor.workspace, "Workspace")


def test_a_row_of_a_call_names_its_token_door_endpoint_and_version(client, actor):
    endpoint = factories.endpoint(actor.workspace)
    client.post(
        f"/endpoints/{endpoint.uuid}/submit?pipelineVersion=0",
        {"ExperimentName": "e"},
        content_type="application/json",
        headers={"authorization": f"Bearer {factories.token(actor)}"},
        REMOTE_ADDR="192.0.2.7",
    )
    event = AuditEvent.objects.get(verb="submit")
    assert event.token_uuid == actor.user.tokens.get().uuid
    assert (event.token_name, event.door, event.address) == ("test", Door.REST, "192.0.2.7")
    assert (event.endpoint_uuid, event.asked_version) == (endpoint.uuid, 0)
    assert len(event.request_id) == 32


def test_a_step_is_a_door_of_its_own(actor):
    step = Actor(workspace=actor.workspace, role=None, name="ada", run_uuid=uuid4())
    assert audit.record(step, "mark", actor.workspace).door == Door.STEP


def test_without_a_request_the_door_is_the_studio_or_the_command_line(actor):
    assert audit.record(actor, "mark", actor.workspace).door == Door.STUDIO
    with at_the_command_line():
        event = audit.record(actor, "mark", actor.workspace)
    assert (event.door, event.address) == (Door.COMMAND, None)


def test_rows_are_neither_changed_nor_deleted(actor):
    event = audit.record(actor, "mark", actor.workspace)
    event.verb = "other"
    for change in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(verb="other"),
        lambda: AuditEvent.objects.bulk_update([event], ["verb"]),
        lambda: AuditEvent.objects.update_or_create(pk=event.pk, defaults={"verb": "other"}),
    ):
        with pytest.raises(TypeError, match="append-only"):
            change()
    assert AuditEvent.objects.get().verb == "mark"


def test_rows_outlive_whom_and_what_they_name(actor):
    audit.record(actor, "mark", actor.workspace)
    before = AuditEvent.objects.values().get()
    actor.user.delete()
    actor.workspace.delete()
    assert AuditEvent.objects.values().get() == before


def test_the_admin_offers_neither_change_nor_deletion(rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    page = admin.site.get_model_admin(AuditEvent)
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)
    assert "delete_selected" not in page.get_actions(request)


def test_the_same_refusal_is_counted_per_minute(from_address):
    from_address("192.0.2.7")
    with time_machine.travel(datetime(2026, 11, 5, 12, 30, tzinfo=UTC), tick=False) as clock:
        assert refuse("ada")
        clock.shift(59)
        assert not refuse("ada")
        refuse("bob")
        clock.shift(1)
        refuse("ada")
    rows = AuditEvent.objects.order_by("pk").values_list("actor", "count")
    assert list(rows) == [("ada", 2), ("bob", 1), ("ada", 1)]
    first = AuditEvent.objects.order_by("pk").first()
    assert (first.last_at - first.at).total_seconds() == 59


def test_random_names_of_one_address_are_one_row_beyond_some(from_address):
    from_address("192.0.2.7")
    for number in range(3 * audit.ROWS_PER_ADDRESS):
        refuse(f"name{number}")
    rows = AuditEvent.objects.filter(address="192.0.2.7")
    assert rows.count() == audit.ROWS_PER_ADDRESS + 1
    assert rows.aggregate(models.Sum("count"))["count__sum"] == 3 * audit.ROWS_PER_ADDRESS
    assert rows.get(actor=audit.SEVERAL).count == 2 * audit.ROWS_PER_ADDRESS
    refuse("name0")
    assert rows.get(actor="name0").count == 2
    from_address("192.0.2.8")
    refuse("another")
    assert AuditEvent.objects.filter(actor="another", address="192.0.2.8").exists()


def test_many_addresses_are_one_row_beyond_some(from_address):
    calls = audit.ROWS_PER_MINUTE + 50
    for number in range(calls):
        from_address(f"2001:db8::{number:x}")
        refuse("ada")
    assert AuditEvent.objects.count() == audit.ROWS_PER_MINUTE + 1
    assert AuditEvent.objects.get(address=None).count == 50


@pytest.mark.parametrize("name", ["x" * 100_000, "a\0b", "\ud800", "한국어" * 100, ""])
def test_any_name_can_be_written(name):
    refuse(name)
    event = AuditEvent.objects.get()
    assert len(event.actor) <= 150
    assert len(event.object_name) <= 255

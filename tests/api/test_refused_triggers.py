"""Refused triggers are on record with their status, whichever door they came by, counted per minute."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from endpoints import services
from runs.schedules import create_schedule, scheduler
from runs.submission import RunSettings
from studio.core import audit
from studio.core.models import AuditEvent, Door, Role
from tests import factories

pytestmark = pytest.mark.django_db
BODY = {"ExperimentName": "e"}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(audit, "waiting", audit.Waiting())
    with time_machine.travel(datetime(2026, 11, 5, 12, 30, 5, tzinfo=UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def endpoint(workspace):
    return factories.endpoint(workspace, "train")


def trigger(client, name, *, key=None, query="", body=BODY, address="192.0.2.7"):
    return client.post(
        f"/endpoints/{name}/submit{query}",
        body,
        content_type="application/json",
        headers={"authorization": f"Bearer {key}"} if key else {},
        REMOTE_ADDR=address,
    )


def refusals() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(verb="submit refused").order_by("pk"))


def test_a_disabled_endpoint(client, actor, endpoint):
    services.disable(actor, endpoint)
    reply = trigger(client, endpoint.uuid, key=factories.token(actor), query="?pipelineVersion=0")
    [event] = refusals()
    assert (
        (event.status, event.after)
        == (reply.status_code, {"code": "Disabled"})
        == (400, event.after)
    )
    assert event.reason == "Pipeline endpoint train is disabled."
    assert (event.actor, event.user, event.workspace) == (actor.name, actor.user, actor.workspace)
    assert (event.token_name, event.address, event.door) == ("test", "192.0.2.7", Door.REST)
    assert (event.kind, event.object_uuid) == ("PipelineEndpoint", endpoint.uuid)
    assert (event.endpoint_uuid, event.asked_version) == (endpoint.uuid, 0)


def test_each_status_is_a_row_and_the_same_is_counted(client, actor, endpoint):
    reader = factories.actor(actor.workspace, Role.READER)
    his, own = factories.token(reader), factories.token(actor)
    for _ in range(3):
        trigger(client, endpoint.uuid)
        trigger(client, endpoint.uuid, key="studio_wrong")
        trigger(client, endpoint.uuid, key=his)
        trigger(client, "train", key=own, body="no JSON {")
    trigger(client, uuid4(), key=own)
    assert [(event.actor, event.status, event.count) for event in refusals()] == [
        ("anonymous", 401, 6),
        (reader.name, 403, 3),
        (actor.name, 400, 3),
        (actor.name, 404, 1),
    ]
    assert [event.object_name for event in refusals()][2] == "train"


def test_a_public_endpoint_that_is_called_too_often(client, settings, endpoint, clock):
    settings.STUDIO_PUBLIC_CALLS_PER_MINUTE = 0
    type(endpoint).objects.update(is_public=True)
    for _ in range(3):
        with CaptureQueriesContext(connection) as seen:
            assert trigger(client, endpoint.uuid).status_code == 429
        assert len(seen) == 1  # which endpoint it is
    clock.shift(1)
    trigger(client, endpoint.uuid)
    [event] = refusals()
    assert (event.actor, event.status, event.workspace) == ("public", 429, endpoint.workspace)
    assert event.count == 4


def test_the_doors_of_the_sdk(api):
    api.post(f"{api.P}/PipelineRuns/Unsubmitted/CreationInfoWithGraph", {"Graph": 5})
    api.post(f"{api.P}/PipelineRuns/PipelineSubmit/{uuid4()}", BODY)
    api.post(f"{api.P}/PipelineRuns/PipelineEndpointSubmit/Name?name=nothing", BODY)
    events = refusals()
    assert [event.kind for event in events] == ["Graph", "PublishedPipeline", "PipelineEndpoint"]
    assert events[-1].object_name == "nothing"


def test_the_forms_of_the_pages(client, actor, endpoint):
    pipeline = endpoint.default_version.pipeline
    client.force_login(actor.user)
    services.disable(actor, endpoint)
    page = reverse("runs:endpoint-submit", args=[endpoint.uuid])
    initial = client.get(page).context["form"]
    form = {field.html_name: field.value() or "" for field in initial}
    form |= {"experiment_choice": "new", "new_experiment": "e", "experiment": ""}
    assert client.post(page, form).status_code == 409
    [event] = refusals()
    assert (event.actor, event.status, event.door) == (actor.name, 400, Door.PAGE)
    assert (event.endpoint_uuid, event.after) == (endpoint.uuid, {"code": "Disabled"})
    reader = factories.actor(actor.workspace, Role.READER)
    client.force_login(reader.user)
    page = reverse("runs:pipeline-submit", args=[pipeline.uuid])
    assert client.get(page).status_code == 403
    assert client.post(page, form).status_code == 403
    event = refusals()[-1]
    assert (event.actor, event.status, event.object_uuid) == (reader.name, 403, pipeline.uuid)
    assert len(refusals()) == 2


def test_an_accepted_trigger_is_one_row_and_reads_nothing_for_it(client, actor, endpoint):
    key = factories.token(actor)
    trigger(client, "train", key=key)
    with CaptureQueriesContext(connection) as seen:
        assert trigger(client, "train", key=key).status_code == 200
    assert [sql["sql"] for sql in seen if "auditevent" in sql["sql"].lower()].__len__() == 1
    assert not refusals()


def test_a_flood_is_written_once_a_second(client, monkeypatch, endpoint, clock):
    monkeypatch.setattr(audit, "WRITES_PER_MINUTE", 2)
    monkeypatch.setattr(audit, "MOST_WAITING", 2)
    for number in range(12):
        with CaptureQueriesContext(connection) as seen:
            trigger(client, f"name{number}", address=f"192.0.2.{number}")
        assert number < 2 or not [sql for sql in seen if "auditevent" in sql["sql"].lower()]
    clock.shift(1)
    trigger(client, "name3", address="192.0.2.3")
    assert [(e.object_name, e.address, e.count) for e in refusals()] == [
        ("name0", "192.0.2.0", 1),
        ("name1", "192.0.2.1", 1),
        ("name2", "192.0.2.2", 1),
        ("name3", "192.0.2.3", 2),
        (audit.SEVERAL, None, 8),
    ]


def test_a_tick_of_a_schedule(actor, endpoint):
    schedule = create_schedule(
        actor,
        name="nightly",
        endpoint=endpoint,
        settings=RunSettings("e"),
        recurrence={"frequency": "Day"},
    )
    services.disable(actor, endpoint)
    scheduler.tick()
    [event] = refusals()
    assert (event.kind, event.object_uuid) == ("Schedule", schedule.uuid)
    assert (event.door, event.address, event.after) == (Door.STUDIO, None, {"code": "Disabled"})

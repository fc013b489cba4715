"""Home: what runs, what failed, what to do next."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from runs import schedules
from runs.models import Worker
from runs.parts import timetable
from runs.states import Status
from runs.submission import RunSettings
from tests.runs.shown import move, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]


def test_home_shows_the_schedules_that_fire_next(client, actor, endpoint, monkeypatch):
    client.force_login(actor.user)
    assert "Next scheduled runs" not in client.get("/").content.decode()
    monkeypatch.setattr(timetable, "NEXT", 2)
    starts = {"later": 2097, "soonest": 2095, "soon": 2096, "stopped": 2094}
    made = {
        name: schedules.create_schedule(
            actor,
            name=name,
            endpoint=endpoint,
            settings=RunSettings("growth"),
            recurrence={"frequency": "Day", "start_time": f"{year}-01-01T00:00:00"},
        )
        for name, year in starts.items()
    }
    schedules.disable_schedule(actor, made["stopped"])
    schedules.create_schedule(
        actor,
        name="watch",
        endpoint=endpoint,
        settings=RunSettings("growth"),
        watch=schedules.Watch(datastore="workspaceblobstore", path="in"),
    )
    for address in ("/", "/home/live/"):
        text = client.get(address).content.decode()
        shown = sorted((name for name in made if f">{name}</a>" in text), key=text.index)
        assert shown == ["soonest", "soon"], address
        assert made["soonest"].get_absolute_url() in text
        assert "watch" not in text.partition("Next scheduled runs")[2].partition("</section>")[0]


def test_home_shows_what_runs_what_failed_and_what_to_do(client, actor, endpoint, run):
    client.force_login(actor.user)
    failed = submit(actor, endpoint)
    move(failed, Status.RUNNING, Status.FAILED)
    text = client.get("/").content.decode()
    assert str(run) in text
    assert str(failed) in text
    assert "No worker is running" in text
    assert "/endpoints/churn/submit" in text


def test_home_shows_whether_workers_are_there_stop_or_have_fallen_silent(client, actor):
    client.force_login(actor.user)
    for name in ("here", "stopping", "died-while-stopping"):
        Worker.objects.create(name=name, role="worker", host="h", pid=1)
    Worker.objects.exclude(name="here").update(stopping_at=Now())
    silent = Worker.objects.filter(name="died-while-stopping")
    silent.update(heartbeat_at=Now() - timedelta(minutes=1))
    rows = client.get("/").context["workers"]
    states = {row.name: row.state for row in rows}
    assert states == {"here": "Online", "stopping": "Stopping", "died-while-stopping": "Offline"}

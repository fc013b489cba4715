"""Home: what runs, what failed, what to do next."""

import pytest

from runs import schedules
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

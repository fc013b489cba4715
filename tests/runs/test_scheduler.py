"""What becomes of schedules that are due: runs, skipped and failed ticks, and never one twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.db import connection

from endpoints import data
from endpoints import services as definitions
from endpoints.models import Datastore, PipelineEndpoint
from runs import schedules
from runs.models import Run, Schedule, ScheduleTick, Source
from runs.schedules import scheduler
from runs.submission import RunSettings
from studio.core.errors import Disabled
from tests import factories

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOURLY = {"frequency": "Hour", "interval": 1, "start_time": "2026-11-22T09:00:00"}
EPOCHS = {"Name": "epochs", "Type": "0", "DefaultValue": "3"}
PLACE = {
    "DataPathParameters": [
        {
            "Name": "place",
            "DefaultValue": {"DataStoreName": "workspaceblobstore", "RelativePath": "first"},
        }
    ]
}
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def at_noon(settings, tmp_path):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path}/storage"
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def endpoint(workspace):
    return factories.endpoint(workspace, "churn", parameters=[EPOCHS], **PLACE)


@pytest.fixture
def hourly(actor, endpoint):
    settings = RunSettings("nightly", assignments={"epochs": "7"})
    return schedules.create_schedule(
        actor, name="weekly", endpoint=endpoint, settings=settings, recurrence=HOURLY
    )


@pytest.fixture
def watching(actor, endpoint):
    def make(**more):
        watch = schedules.Watch("workspaceblobstore", "in", datapath_parameter="place", **more)
        schedule = schedules.create_schedule(
            actor,
            name="files",
            endpoint=endpoint,
            settings=RunSettings("nightly"),
            watch=watch,
        )
        scheduler.tick(NOON)
        return schedule

    return make


@pytest.fixture
def put(workspace):
    def write(path, text="x"):
        store = Datastore.objects.select_related("workspace").get(workspace=workspace)
        local = data.resolve(store, path).local
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_text(text)

    return write


def ticks():
    rows = ScheduleTick.objects.order_by("due_at").values_list("due_at", "outcome", "reason")
    return [(f"{due:%H:%M}", outcome, reason) for due, outcome, reason in rows]


def test_a_due_tick_makes_a_run_through_submit(hourly, endpoint):
    scheduler.tick(NOON)
    assert not ScheduleTick.objects.exists()  # the next is at 13:00
    due = NOON + 60 * MINUTE
    scheduler.tick(due)
    scheduler.tick(due)
    run = Run.objects.pipeline_runs().get()
    assert run.schedule == hourly and run.endpoint == endpoint
    assert run.display_name == "weekly-20261122T130000Z"
    assert (run.pipeline_run.source, run.pipeline_run.run_type) == (Source.SCHEDULE, "Schedule")
    assert run.pipeline_run.parameters["epochs"] == "7"
    assert run.pipeline_run.provenance == {"epochs": "Schedule", "place": "Default"}
    tick = ScheduleTick.objects.get()
    assert (tick.due_at, tick.outcome, tick.run, tick.reason) == (due, "Fired", run, "")
    hourly.refresh_from_db()
    assert hourly.next_at == due + 60 * MINUTE


def test_it_follows_the_default_version_unless_one_is_pinned(actor, endpoint, workspace):
    first = endpoint.default_version.pipeline
    second = factories.pipeline(workspace, "second")
    for name, version in (("follows", None), ("pinned", 0)):
        schedules.create_schedule(
            actor,
            name=name,
            endpoint=endpoint,
            version=version,
            settings=RunSettings("nightly"),
            recurrence=HOURLY,
        )
    added = definitions.add_version(actor, endpoint, second)
    definitions.set_default(actor, endpoint, added)
    scheduler.tick(NOON + 60 * MINUTE)
    runs = Run.objects.pipeline_runs()
    ran = dict(runs.values_list("schedule__name", "pipeline"))
    assert ran == {"follows": second.pk, "pinned": first.pk}


def test_without_a_start_it_fires_at_once_and_then_in_its_rhythm(actor, endpoint):
    schedule = schedules.create_schedule(
        actor,
        name="now",
        endpoint=endpoint,
        settings=RunSettings("nightly"),
        recurrence={"frequency": "Hour", "interval": 12},
    )
    scheduler.tick(NOON)
    schedule.refresh_from_db()
    assert ticks() == [("12:00", "Fired", "")]
    assert schedule.next_at == NOON + timedelta(hours=12)


def test_a_start_in_the_future_does_not_fire_before(actor, endpoint):
    schedules.create_schedule(
        actor,
        name="later",
        endpoint=endpoint,
        settings=RunSettings("nightly"),
        recurrence=HOURLY | {"start_time": "2026-11-25T09:00:00"},
    )
    scheduler.tick(NOON + timedelta(days=2))
    assert ticks() == []
    scheduler.tick(NOON + timedelta(days=3))
    assert len(ticks()) == 1


@pytest.mark.parametrize("what", ["endpoint", "pipeline"])
def test_what_is_disabled_is_skipped_with_the_reason_of_submit(actor, hourly, endpoint, what):
    target = endpoint if what == "endpoint" else endpoint.default_version.pipeline
    definitions.disable(actor, target)
    with pytest.raises(Disabled) as refused:
        factories.run(actor, experiment="x", endpoint=PipelineEndpoint.objects.get())
    scheduler.tick(NOON + 60 * MINUTE)
    assert ticks() == [("13:00", "Skipped", refused.value.message)]
    definitions.enable(actor, target)
    scheduler.tick(NOON + 120 * MINUTE)
    assert [outcome for _, outcome, _ in ticks()] == ["Skipped", "Fired"]


def test_what_submit_refuses_has_failed_and_leaves_no_half_of_a_run(hourly):
    Schedule.objects.update(settings=RunSettings("n", assignments={"epochs": "x"}).as_json())
    scheduler.tick(NOON + 60 * MINUTE)
    ((_, outcome, reason),) = ticks()
    assert outcome == "Failed" and "epochs" in reason
    assert not Run.objects.exists()
    hourly.refresh_from_db()
    assert hourly.next_at == NOON + 120 * MINUTE


def test_it_skips_while_its_last_run_is_live_if_it_is_to(actor, hourly):
    schedules.update_schedule(actor, hourly, skips_while_running=True)
    for hour in (1, 2):
        scheduler.tick(NOON + hour * 60 * MINUTE)
    assert ticks() == [
        ("13:00", "Fired", ""),
        ("14:00", "Skipped", "Its last run is still running."),
    ]


def test_after_downtime_one_run_stands_for_all(hourly):
    scheduler.tick(NOON + timedelta(hours=5, minutes=30))
    reason = "Late by 4 h 30 min. It replaces 4 more that were missed."
    assert ticks() == [("13:00", "Fired", reason)]
    hourly.refresh_from_db()
    assert hourly.next_at == NOON + timedelta(hours=6)


def test_a_disabled_schedule_is_never_due_and_enabled_makes_up_for_nothing(actor, hourly, at_noon):
    schedules.disable_schedule(actor, hourly)
    assert hourly.next_at is None
    at_noon.move_to(NOON + timedelta(hours=5, minutes=30))
    scheduler.tick()
    schedules.enable_schedule(actor, hourly)
    scheduler.tick()
    assert ticks() == []
    assert hourly.next_at == NOON + timedelta(hours=6)


def test_run_now_is_on_the_log_and_shifts_nothing(actor, hourly):
    run = scheduler.run_now(actor, hourly)
    assert run.schedule == hourly
    assert ticks() == [("12:00", "Fired", f"Run now, by {actor.name}.")]
    schedules.disable_schedule(actor, hourly)
    with pytest.raises(Disabled):
        scheduler.run_now(actor, hourly)


def test_a_deleted_schedule_takes_its_ticks_and_leaves_its_runs(actor, hourly):
    scheduler.tick(NOON + 60 * MINUTE)
    schedules.delete_schedule(actor, hourly)
    assert not Schedule.objects.exists() and not ScheduleTick.objects.exists()
    assert Run.objects.pipeline_runs().get().schedule is None


# --- datastores -----------------------------------------------------------------------------------
def looks(minute):
    scheduler.tick(NOON + minute * MINUTE)
    return list(
        Run.objects.pipeline_runs()
        .order_by("pk")
        .values_list("pipeline_run__datapaths__place__RelativePath", flat=True)
    )


def test_the_first_look_takes_stock_and_later_ones_see_what_is_new_or_changed(watching, put):
    put("in/old.csv")
    schedule = watching()
    assert looks(5) == [] == ticks()
    put("in/new.csv")
    assert looks(9) == []  # every five minutes
    assert looks(10) == ["in/new.csv"]
    put("in/old.csv", "longer")
    put("in/new.csv", "longer")
    assert looks(15) == ["in/new.csv", "in"]
    assert looks(20) == ["in/new.csv", "in"]
    assert ticks()[1] == ("12:15", "Fired", "New or changed: in/new.csv, in/old.csv.")
    schedule.refresh_from_db()
    assert schedule.polled_at == NOON + 20 * MINUTE


def test_folders_within_are_watched_only_when_asked_for(watching, put):
    watching()
    put("in/deep/a.csv")
    assert looks(5) == []
    services_watch = watching(includes_subfolders=True)
    put("in/deep/b.csv")
    assert looks(10) == ["in/deep/b.csv"]
    assert services_watch.includes_subfolders


def test_each_file_gets_a_run_where_that_is_wanted_and_none_is_lost(watching, put, monkeypatch):
    monkeypatch.setattr(scheduler, "MOST_RUNS", 2)
    watching(one_run_per_batch=False)
    for name in "abc":
        put(f"in/{name}.csv")
    assert looks(5) == ["in/a.csv", "in/b.csv"]
    assert looks(10) == ["in/a.csv", "in/b.csv", "in/c.csv"]
    assert len(ticks()) == 3


def test_changes_wait_while_the_last_run_is_live(actor, watching, put):
    schedules.update_schedule(actor, watching(), skips_while_running=True)
    put("in/a.csv")
    looks(5)
    put("in/b.csv")
    assert looks(10) == ["in/a.csv"]
    run = Run.objects.pipeline_runs().get()
    Run.objects.filter(pk=run.pk).update(status="Completed", finished_at=NOON)
    assert looks(15) == ["in/a.csv", "in/b.csv"]
    assert [outcome for _, outcome, _ in ticks()] == ["Fired", "Skipped", "Fired"]


def test_a_place_that_cannot_be_listed_is_a_failed_tick(watching, put, monkeypatch):
    monkeypatch.setattr(scheduler, "MOST_FILES", 1)
    put("in/a.csv")
    watching()
    put("in/b.csv")
    assert looks(5) == []
    ((_, outcome, reason),) = ticks()
    assert outcome == "Failed" and "more than 1 files" in reason
    Datastore.objects.all().delete()
    looks(10)
    assert "not found in workspace" in ticks()[1][2]


def test_another_interval_counts_from_now_and_another_place_takes_stock(actor, watching, put):
    schedule = watching(polling_minutes=600)
    shorter = schedules.Watch("workspaceblobstore", "in", 1, "place")
    schedules.update_schedule(actor, schedule, watch=shorter)
    put("in/a.csv")
    assert looks(1) == ["in/a.csv"]
    put("other/b.csv")
    schedules.update_schedule(actor, schedule, watch=replace(shorter, path="other"))
    assert looks(2) == ["in/a.csv"] == looks(4)


def test_changes_while_it_was_disabled_start_nothing(actor, watching, put):
    schedule = watching()
    schedules.disable_schedule(actor, schedule)
    put("in/a.csv")
    schedules.enable_schedule(actor, schedule)
    assert looks(5) == [] == looks(10)


# --- two beats ------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_of_beats_at_once_one_fires(hourly):
    if connection.vendor == "sqlite":
        pytest.skip("an in-memory database has one connection; the next test has a file")
    beat_at_once(4)


def test_of_beats_at_once_one_fires_on_a_file(file_database, tmp_path):
    place = factories.workspace()
    schedules.create_schedule(
        factories.actor(place),
        name="weekly",
        endpoint=factories.endpoint(place),
        settings=RunSettings("nightly"),
        recurrence=HOURLY,
    )
    beat_at_once(4)


def beat_at_once(beats):
    due, ready = NOON + 60 * MINUTE, Barrier(beats)

    def beat():
        ready.wait(10)
        scheduler.tick(due)
        connection.close()

    threads = [Thread(target=beat) for _ in range(beats)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert ticks() == [("13:00", "Fired", "")]
    assert Run.objects.pipeline_runs().count() == 1


def test_a_beat_that_read_before_another_fired_does_nothing(hourly):
    due = NOON + 60 * MINUTE
    stale = Schedule.objects.select_related("workspace").get()
    scheduler.tick(due)
    scheduler._recur(stale, stale.next_at, due)
    assert len(ticks()) == 1 == Run.objects.pipeline_runs().count()


@pytest.mark.django_db(transaction=True)
def test_a_beat_that_dies_in_the_middle_leaves_it_due(hourly, monkeypatch):
    def die(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(scheduler, "_record", die)
    with pytest.raises(KeyboardInterrupt):
        scheduler.tick(NOON + 60 * MINUTE)
    monkeypatch.undo()
    assert not Run.objects.exists()
    scheduler.tick(NOON + 60 * MINUTE)
    assert ticks() == [("13:00", "Fired", "")]

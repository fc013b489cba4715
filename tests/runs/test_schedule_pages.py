"""Pages of schedules: what they list, how one is made, changed, stopped, and who may."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from endpoints import services as definitions
from runs import schedules
from runs.models import Run, Schedule
from runs.schedules import scheduler
from runs.submission import RunSettings
from studio.core.models import Role
from tests import factories

pytestmark = pytest.mark.django_db
PARAMETERS = [
    {"Name": "epochs", "Type": "0", "DefaultValue": "3"},
    {"Name": "key", "Type": "3", "DefaultValue": "", "Secret": True},
]
PLACE = {
    "DataPathParameters": [
        {
            "Name": "place",
            "DefaultValue": {"DataStoreName": "workspaceblobstore", "RelativePath": "first"},
        }
    ]
}
LIST = "/pipelines/schedules/"
FILLED = {
    "name": "weekly",
    "trigger": "Recurrence",
    "frequency": "Week",
    "interval": "2",
    "start_time": "2030-12-01T00:00",
    "time_zone": "America/New_York",
    "hours": "6, 18",
    "minutes": "30",
    "week_days": ["Monday", "Friday"],
    "datastore": "workspaceblobstore",
    "polling_minutes": "5",
    "experiment_choice": "new",
    "new_experiment": "nightly",
    "param_epochs": "9",
    "param_key": "hush",
    "datastore_place": "workspaceblobstore",
    "param_place": "first",
}


@pytest.fixture(autouse=True)
def place_of_its_own(tmp_path, settings):
    settings.STUDIO_STORAGE_URL = f"file://{tmp_path}/storage"


@pytest.fixture
def endpoint(workspace):
    pipelines = [
        factories.pipeline(workspace, name, parameters=PARAMETERS, **PLACE) for name in "ab"
    ]
    return factories.endpoint(workspace, "churn", pipelines=pipelines)


@pytest.fixture
def page(client, actor):
    client.force_login(actor.user)
    return client


@pytest.fixture
def new(endpoint):
    return f"{LIST}new/?target=endpoint:{endpoint.uuid}"


@pytest.fixture
def schedule(page, new):
    assert page.post(new, FILLED).status_code == 302
    return Schedule.objects.get()


def text_of(client, url, **more):
    reply = client.get(url, **more)
    assert reply.status_code == 200
    return reply.content.decode()


def test_the_list_says_what_fires_when(page, schedule):
    text = text_of(page, LIST)
    assert "Every 2 weeks on Monday and Friday at 06:30 and 18:30, America/New_York" in text
    assert "churn" in text and "weekly" in text
    assert f'href="{schedule.get_absolute_url()}"' in text
    schedules.disable_schedule(scheduler.access.system_actor(schedule.workspace), schedule)
    assert "weekly" not in text_of(page, LIST)
    assert "weekly" in text_of(page, f"{LIST}?include_disabled=on")
    assert "No match" in text_of(page, f"{LIST}?q=zz")


def test_the_tab_of_what_it_runs(page, schedule, actor, endpoint):
    tab = reverse("endpoints:endpoint-schedules", args=[endpoint.uuid])
    assert tab in text_of(page, endpoint.get_absolute_url())
    text = text_of(page, tab)
    assert f'href="{schedule.get_absolute_url()}"' in text
    assert f"/new/?target=endpoint:{endpoint.uuid}" in text
    schedules.disable_schedule(actor, schedule)
    assert f'href="{schedule.get_absolute_url()}"' in text_of(page, tab)
    schedules.create_schedule(
        actor,
        name="of one version",
        endpoint=endpoint,
        version=1,
        settings=RunSettings("x"),
        recurrence={"frequency": "Day"},
    )
    assert '<span class="chip">v1</span>' in text_of(page, tab)
    pipeline = endpoint.default_version.pipeline
    tab = reverse("endpoints:pipeline-schedules", args=[pipeline.uuid])
    assert "No schedules yet" in text_of(page, tab)
    made = schedules.create_schedule(
        actor,
        name="of the pipeline",
        pipeline=pipeline,
        settings=RunSettings("x"),
        recurrence={"frequency": "Day"},
    )
    text = text_of(page, tab)
    assert made.get_absolute_url() in text
    assert schedule.get_absolute_url() not in text
    assert f"/new/?target=pipeline:{pipeline.uuid}" in text


def test_a_disabled_target_gets_no_new_schedule(page, actor, endpoint):
    definitions.disable(actor, endpoint)
    text = text_of(page, reverse("endpoints:endpoint-schedules", args=[endpoint.uuid]))
    assert f"/new/?target=endpoint:{endpoint.uuid}" not in text


@pytest.mark.parametrize("kind", ["endpoint", "pipeline"])
def test_a_tab_is_of_its_own_workspace(page, kind):
    place = factories.workspace()
    endpoint = factories.endpoint(place)
    target = endpoint if kind == "endpoint" else endpoint.default_version.pipeline
    assert page.get(reverse(f"endpoints:{kind}-schedules", args=[target.uuid])).status_code == 404


def test_its_page_leads_to_its_runs(page, schedule):
    text = text_of(page, schedule.get_absolute_url())
    assert f"{reverse('runs:run-list')}?schedule={schedule.uuid}" in text


def test_a_new_schedule_starts_with_what_it_runs(page, endpoint, new):
    text = text_of(page, f"{LIST}new/")
    assert f"endpoint:{endpoint.uuid}" in text
    assert "Preview fire times" in text_of(page, new)
    for nonsense in ("endpoint:7", "pipeline:5b1d5bb0-0000-4000-8000-000000000000"):
        assert page.get(f"{LIST}new/?target={nonsense}").status_code == 404


def test_the_form_makes_what_the_sdk_would(schedule):
    assert schedule.recurrence == {
        "frequency": "Week",
        "interval": 2,
        "start_time": "2030-12-01T00:00:00",
        "time_zone": "America/New_York",
        "hours": [6, 18],
        "minutes": [30],
        "week_days": ["Monday", "Friday"],
    }
    given = RunSettings.from_json(schedule.settings).opened()
    assert given.experiment == "nightly"
    assert given.assignments == {"epochs": "9", "key": "hush"}
    assert given.datapaths == {}
    assert schedule.endpoint_version is None


def test_fire_times_are_shown_before_anything_is_made(page, new):
    text = page.post(new, FILLED | {"preview": "1"}).content.decode()
    assert text.count('datetime="2030-12-') + text.count('datetime="2031-01-') == 10
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hours": "25"}, "hours"),
        ({"hours": "six"}, "hours"),
        ({"frequency": "Hour"}, "hours"),
        ({"interval": "0"}, "interval"),
        ({"start_time": "soon"}, "start_time"),
        ({"name": ""}, "name"),
        ({"param_epochs": "many"}, "param_epochs"),
        ({"new_experiment": "a/b"}, "new_experiment"),
        ({"trigger": "DataStore", "datapath_parameter": "epochs"}, "datapath_parameter"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(page, new, change, field):
    reply = page.post(new, FILLED | change)
    assert reply.status_code == 200
    assert field in reply.context["form"].errors
    assert not Schedule.objects.exists()


def test_a_wrong_value_of_a_disabled_schedule_is_refused_too(page, schedule):
    page.post(f"{schedule.get_absolute_url()}disable/")
    wrong = FILLED | {"param_epochs": "1.5", "etag": str(Schedule.objects.get().etag)}
    reply = page.post(f"{schedule.get_absolute_url()}edit/", wrong)
    assert "param_epochs" in reply.context["form"].errors


def test_a_data_trigger_is_made_too(page, new):
    watching = {
        "trigger": "DataStore",
        "path": "/in/",
        "polling_minutes": "7",
        "datapath_parameter": "place",
        "one_run_per_batch": "on",
        "version": "1",
    }
    assert page.post(new, FILLED | watching).status_code == 302
    made = Schedule.objects.get()
    assert (made.path, made.polling_minutes, made.datapath_parameter) == ("in", 7, "place")
    assert made.one_run_per_batch and not made.includes_subfolders
    assert made.endpoint_version == 1
    assert "When files change in workspaceblobstore: in" in text_of(page, made.get_absolute_url())


def test_a_run_for_each_file_is_a_choice_of_the_form(page, new):
    watching = {"trigger": "DataStore", "path": "in", "datapath_parameter": "place"}
    assert page.get(new).context["form"]["one_run_per_batch"].value()  # else, one for all
    assert page.post(new, FILLED | watching).status_code == 302
    assert not Schedule.objects.get().one_run_per_batch


@pytest.mark.parametrize("frequency", ["Minute", "Hour", "Day", "Week", "Month"])
def test_a_schedule_gets_another_rhythm_by_its_form(page, schedule, frequency):
    times = {"interval": "3", "hours": "", "minutes": "", "week_days": [], "time_zone": "UTC"}
    changed = FILLED | times | {"frequency": frequency, "etag": str(schedule.etag)}
    assert page.post(f"{schedule.get_absolute_url()}edit/", changed).status_code == 302
    after = Schedule.objects.get()
    assert (after.recurrence["frequency"], after.recurrence["interval"]) == (frequency, 3)
    assert after.etag != schedule.etag
    upcoming = page.get(schedule.get_absolute_url()).context["upcoming"]
    assert upcoming[0] == after.next_at and len(set(upcoming)) == 10


def test_editing_unchanged_keeps_all_and_the_secret(page, schedule):
    edit = f"{schedule.get_absolute_url()}edit/"
    form = page.get(edit).context["form"]
    assert "hush" not in text_of(page, edit)
    data = {
        name: value for name in form.fields if (value := form[name].value()) not in (None, False)
    }
    data["start_time"] = f"{data['start_time']:%Y-%m-%dT%H:%M:%S}"
    before = Schedule.objects.values().get()
    assert page.post(edit, data | {"name": "other"}).status_code == 302
    after = Schedule.objects.values().get()
    assert after["name"] == "other" and after["next_at"] == before["next_at"]
    assert RunSettings.from_json(after["settings"]).opened().assignments == {
        "epochs": "9",
        "key": "hush",
    }


def test_a_form_that_is_older_than_the_schedule_changes_nothing(page, schedule):
    edit = f"{schedule.get_absolute_url()}edit/"
    stale = FILLED | {"etag": "5b1d5bb0-0000-4000-8000-000000000000", "name": "mine"}
    reply = page.post(edit, stale)
    assert "was changed since it was read" in reply.content.decode()
    assert Schedule.objects.get().name == "weekly"


def test_the_page_shows_ticks_runs_and_the_next_ten(page, schedule):
    scheduler.tick(schedule.next_at)
    text = text_of(page, schedule.get_absolute_url())
    run = Run.objects.pipeline_runs().get()
    assert run.display_name in text and "Fired" in text
    assert len(page.get(schedule.get_absolute_url()).context["upcoming"]) == 10
    assert "hush" not in text


def test_run_now_disable_enable_and_delete(page, schedule):
    def post(verb):
        address = reverse(f"runs:schedule-{verb}", args=[schedule.uuid])
        return page.post(address, follow=True).content.decode()

    assert "is submitted" in post("run")
    assert Run.objects.pipeline_runs().get().schedule == schedule
    assert "will not fire" in post("disable")
    assert Schedule.objects.get().next_at is None
    assert "is enabled" in post("enable")
    assert Schedule.objects.get().next_at > timezone.now() + timedelta(days=1)
    delete = reverse("runs:schedule-delete", args=[schedule.uuid])
    assert "Its runs stay" in text_of(page, delete)
    assert "is deleted" in post("delete")
    assert not Schedule.objects.exists()


def test_disabling_an_endpoint_names_the_schedules_that_will_skip(page, schedule, endpoint):
    question = text_of(page, f"/endpoints/{endpoint.uuid}/disable/")
    assert "1 schedule skips its runs meanwhile: weekly." in question


def test_who_may_not_is_told_so(client, workspace, schedule, new):
    reader = factories.actor(workspace, Role.READER)
    client.force_login(reader.user)
    here = schedule.get_absolute_url()
    assert "This needs the role" in text_of(client, here)
    assert client.get(new).status_code == 403
    assert client.get(f"{here}edit/").status_code == 403
    for verb in ("run", "disable", "enable", "delete"):
        assert client.post(f"{here}{verb}/").status_code == 403
    elsewhere = factories.actor(factories.workspace())
    client.force_login(elsewhere.user)
    assert client.get(here).status_code == 404
    client.logout()
    assert client.get(here).status_code == 302

"""Schedules on the wire: the SDK's calls, both spellings, the Etag, and who may see and write them."""

import itertools
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from runs import run_tokens
from runs.models import PipelineRun, Run, Schedule
from runs.schedules import scheduler
from runs.submission import RunSettings
from studio.core.models import AuditEvent, Role
from tests import factories

pytestmark = pytest.mark.django_db

WEEKLY = {
    "Frequency": "Week",
    "Interval": 1,
    "StartTime": "2030-12-01T00:00:00",
    "TimeZone": "Eastern Standard Time",
    "Schedule": {"Hours": [6], "Minutes": [30], "WeekDays": ["Monday", "Friday"]},
}
INFO = {
    "ExperimentName": "exp9",
    "Description": "d",
    "ParameterAssignments": {"epochs": "4"},
    "DataPathAssignments": {},
    "DataSetDefinitionValueAssignments": {},
    "Properties": {"azureml.git.branch": "main"},
}
WATCH = {"DataStoreName": "workspaceblobstore", "PollingInterval": 5, "PathOnDataStore": "in"}
PARAMETERS = [
    {"Name": "epochs", "Type": "0", "DefaultValue": "3"},
    {"Name": "key", "Type": "3", "DefaultValue": "", "Secret": True},
]


@pytest.fixture
def pipeline(workspace):
    return factories.pipeline(workspace, "train", parameters=PARAMETERS)


@pytest.fixture
def endpoint(workspace, pipeline):
    return factories.endpoint(workspace, "churn", pipelines=[pipeline])


@pytest.fixture
def posted(pipeline):
    return {
        "Name": "weekly",
        "PipelineId": str(pipeline.uuid),
        "ScheduleType": "0",
        "PipelineSubmissionInfo": INFO,
        "Recurrence": WEEKLY,
    }


@pytest.fixture
def watching(endpoint):
    return {
        "Name": "files",
        "PipelineEndpointId": str(endpoint.uuid),
        "ScheduleType": "1",
        "PipelineSubmissionInfo": INFO,
        "DataStoreTriggerInfo": WATCH,
    }


def create(api, body):
    reply = api.post(f"{api.P}/Schedules/Create", body)
    assert reply.status == 200, reply.body
    return reply.body


def test_a_recurrence_is_created_and_read_as_it_was_sent(api, posted):
    made = create(api, posted)
    assert made["Recurrence"] == WEEKLY
    assert made["PipelineSubmissionInfo"] == INFO
    assert made["PipelineId"] == posted["PipelineId"] and made["PipelineEndpointId"] is None
    assert (made["ScheduleType"], made["EntityStatus"]) == ("Recurrence", "Active")
    assert made["ProvisioningStatus"] == "Completed"
    assert made["NextTime"] == "2030-12-02T11:30:00Z"
    assert api.get(f"{api.P}/Schedules/{made['Id']}").body == made
    assert AuditEvent.objects.filter(kind="Schedule", verb="create").exists()


def test_a_datastore_trigger_is_created_and_read_as_it_was_sent(api, watching):
    made = create(api, watching)
    assert made["ScheduleType"] == "DataStore" and made["Recurrence"] is None
    assert made["DataStoreTriggerInfo"].items() >= WATCH.items()
    assert made["PipelineEndpointId"] == watching["PipelineEndpointId"]


def test_lists_are_those_of_the_workspace_the_pipeline_and_the_endpoint(
    api, posted, watching, pipeline, endpoint
):
    first, second = create(api, posted), create(api, watching)
    api.put(f"{api.P}/Schedules/{first['Id']}", first | {"EntityStatus": "Disabled"})

    def ids(path):
        return [row["Id"] for row in api.get(f"{api.P}/Schedules{path}").body]

    assert ids("?activeOnly=true") == [second["Id"]] == ids("")
    assert ids("?activeOnly=False") == [second["Id"], first["Id"]]
    assert ids(f"/Pipeline/{pipeline.uuid}") == [first["Id"]]
    assert ids(f"/PipelineEndpoint/{endpoint.uuid}") == [second["Id"]]


@pytest.mark.parametrize("spelling", ["0", "Recurrence", 0])
def test_the_whole_entity_comes_back_changed(api, posted, spelling):
    made = create(api, posted)
    changed = made | {"Name": "renamed", "ScheduleType": spelling, "EntityStatus": "Disabled"}
    reply = api.put(f"{api.P}/Schedules/{made['Id']}", changed)
    assert reply.status == 200, reply.body
    assert (reply.body["Name"], reply.body["EntityStatus"]) == ("renamed", "Disabled")
    assert reply.body["NextTime"] is None
    again = api.put(f"{api.P}/Schedules/{made['Id']}", reply.body | {"EntityStatus": "0"})
    assert again.body["NextTime"] == made["NextTime"]


def test_a_stale_etag_is_409_and_changes_nothing(api, posted):
    made = create(api, posted)
    address = f"{api.P}/Schedules/{made['Id']}"
    assert api.put(address, made | {"Name": "mine"}).status == 200
    assert api.put(address, made | {"Name": "yours"}).status == 409
    assert api.get(address).body["Name"] == "mine"


def test_the_same_recurrence_sent_back_keeps_its_rhythm(api, posted):
    made = create(api, posted | {"Recurrence": {"Frequency": "Hour", "Interval": 12}})
    started = Schedule.objects.get().starts_at
    scheduler.tick(timezone.now())
    read = api.get(f"{api.P}/Schedules/{made['Id']}").body
    reply = api.put(f"{api.P}/Schedules/{made['Id']}", read | {"Name": "other"})
    assert reply.body["NextTime"] == read["NextTime"]
    assert Schedule.objects.get().starts_at == started
    hours = reply.body | {"Recurrence": {"Frequency": "Hour", "Interval": 1}}
    assert api.put(f"{api.P}/Schedules/{made['Id']}", hours).body["NextTime"] < read["NextTime"]


def test_a_zone_of_another_name_is_shown_to_the_sdk_by_its_own(api, posted):
    made = create(api, posted | {"Recurrence": WEEKLY | {"TimeZone": "Asia/Seoul"}})
    assert made["Recurrence"]["TimeZone"] == "Korea Standard Time"


def test_a_secret_is_neither_shown_nor_kept_readable_nor_lost(api, posted):
    info = INFO | {"ParameterAssignments": {"key": "hush", "epochs": "4"}}
    made = create(api, posted | {"PipelineSubmissionInfo": info})
    assert made["PipelineSubmissionInfo"]["ParameterAssignments"]["key"] == "********"
    assert "hush" not in str(Schedule.objects.get().settings)
    api.put(f"{api.P}/Schedules/{made['Id']}", made | {"Name": "other"})
    assert (
        RunSettings.from_json(Schedule.objects.get().settings).opened().assignments["key"] == "hush"
    )
    forged = INFO | {"ParameterAssignments": {"other": {"secret": "gAAAA"}}}
    body = posted | {"PipelineSubmissionInfo": forged}
    assert api.post(f"{api.P}/Schedules/Create", body).status == 400


def test_a_client_gets_back_every_key_it_sent(api, posted):
    sent = INFO | {"Nonsense": [1], "DisplayName": "d", "StepTags": {"a": "b"}, "RunType": "SDK"}
    made = create(api, posted | {"PipelineSubmissionInfo": sent})
    assert made["PipelineSubmissionInfo"] == sent
    reply = api.put(f"{api.P}/Schedules/{made['Id']}", made | {"Name": "other"})
    assert reply.body["PipelineSubmissionInfo"] == sent


def test_a_secret_below_a_misspelt_key_is_not_kept_with_a_run(api, posted):
    info = INFO | {"ParameterAssignment": {"key": "hush"}}
    create(api, posted | {"PipelineSubmissionInfo": info})
    scheduler.tick(Schedule.objects.get().next_at)
    request = PipelineRun.objects.get().raw_request
    assert request["ParameterAssignment"] == {"key": "********"}
    assert request["assignments"] == {"epochs": "4"}


def test_its_runs_and_the_last_of_them(api, posted):
    made = create(api, posted)
    runs = f"{api.P}/PipelineRuns/Schedule/{made['Id']}"
    assert api.get(runs).body == []
    last = api.get(f"{runs}/Last")
    assert (last.status, last.raw) == (204, b"")
    for days in (0, 7):
        scheduler.tick(Schedule.objects.get().next_at + timedelta(days=days))
    newest, oldest = api.get(runs).body
    assert newest["Id"] == api.get(f"{runs}/Last").body["Id"] != oldest["Id"]
    assert newest["ScheduleId"] == made["Id"]
    assert (newest["RunType"], newest["RunHistoryExperimentName"]) == ("Schedule", "exp9")
    assert newest["ParameterAssignments"]["epochs"] == "4"


REFUSED = [
    ({"PipelineId": None}, "PipelineId"),
    ({"PipelineEndpointVersion": "0"}, "version"),
    ({"Name": " "}, "Name"),
    ({"ScheduleType": "2"}, "ScheduleType"),
    ({"Recurrence": None}, "Recurrence"),
    ({"Recurrence": {"Frequency": "Day", "TimeZone": "Nowhere"}}, "TimeZone"),
    (
        {
            "Recurrence": {
                "Frequency": "Month",
                "Interval": 100_000,
                "StartTime": "1970-01-01T00:00:00",
            }
        },
        "Interval",
    ),
    ({"PipelineSubmissionInfo": {}}, "ExperimentName"),
    ({"PipelineSubmissionInfo": INFO | {"ParameterAssignments": {"epochs": "many"}}}, "epochs"),
    (
        {"ScheduleType": "1", "DataStoreTriggerInfo": WATCH | {"DataStoreName": "none"}},
        "DataStoreName",
    ),
    ({"ScheduleType": "1", "DataStoreTriggerInfo": WATCH | {"PathOnDataStore": "../x"}}, ".."),
    (
        {"ScheduleType": "1", "DataStoreTriggerInfo": WATCH | {"PollingInterval": 0}},
        "PollingInterval",
    ),
    (
        {"ScheduleType": "1", "DataStoreTriggerInfo": WATCH | {"DataPathParameterName": "epochs"}},
        "DataPathParameterName",
    ),
]


@pytest.mark.parametrize(("change", "named"), REFUSED)
def test_what_cannot_be_is_refused_by_name_and_leaves_nothing(api, posted, change, named):
    reply = api.post(f"{api.P}/Schedules/Create", posted | change)
    assert reply.status == 400
    assert named in str(reply.body["Error"])
    assert not Schedule.objects.exists()


def test_target_and_kind_of_a_schedule_stay(api, posted, watching, endpoint):
    made = create(api, posted)
    for change in (
        {"PipelineId": str(uuid4())},
        {"PipelineEndpointId": str(endpoint.uuid)},
        {"ScheduleType": "1", "DataStoreTriggerInfo": WATCH},
    ):
        assert api.put(f"{api.P}/Schedules/{made['Id']}", made | change).status == 400


def test_disabling_succeeds_whatever_has_become_of_the_target(api, posted, workspace):
    made = create(api, posted)
    workspace.compute_targets.all().delete()
    address = f"{api.P}/Schedules/{made['Id']}"
    disabled = api.put(address, made | {"EntityStatus": "Disabled"})
    assert disabled.status == 200, disabled.body
    assert api.put(address, disabled.body | {"EntityStatus": "Active"}).status == 400


def test_roles_and_reach(api, api_as, posted, endpoint, actor):
    made = create(api, posted)
    address = f"{api.P}/Schedules/{made['Id']}"
    for role in (Role.READER, Role.OPERATOR):
        caller = api_as(role)
        assert caller.get(address).status == 200
        assert caller.post(f"{api.P}/Schedules/Create", posted).status == 403
        assert caller.put(address, made | {"Name": "mine"}).status == 403
    assert api_as(Role.PUBLISHER).put(address, made | {"Name": "mine"}).status == 200
    api.token = factories.token(actor, endpoint_uuid=endpoint.uuid)
    assert api.get(address).status == 403
    assert api.post(f"{api.P}/Schedules/Create", posted).status == 403


def test_a_steps_own_token_opens_none(api, posted, workspace, actor, pipeline):
    made = create(api, posted)
    run = factories.run(actor, experiment="x", pipeline=pipeline)
    step = Run.objects.get(parent=run)
    Run.objects.filter(pk=step.pk).update(status="Running")
    api.token = run_tokens.make(Run.objects.get(pk=step.pk))[0]
    for path in ("Schedules", f"Schedules/{made['Id']}", f"PipelineRuns/Schedule/{made['Id']}"):
        assert api.get(f"{api.P}/{path}").status == 403
    assert api.post(f"{api.P}/Schedules/Create", posted).status == 403


WRONG = [None, True, 7, -1, 1.5, "text", [], {}, [7], {"a": [7]}, "\x00", "x" * 300, 10**30]


def test_wrong_types_anywhere_are_never_our_error(api, posted, watching):
    made = create(api, posted)
    for body, key, wrong in itertools.product(
        (posted, watching), (*posted, "DataStoreTriggerInfo"), WRONG
    ):
        assert api.post(f"{api.P}/Schedules/Create", body | {key: wrong}).status < 500
    for part in ("Recurrence", "PipelineSubmissionInfo"):
        for key, wrong in itertools.product(posted[part], WRONG):
            body = posted | {part: posted[part] | {key: wrong}}
            assert api.put(f"{api.P}/Schedules/{made['Id']}", body).status < 500
    for key, wrong in itertools.product((*WATCH, "DataPathParameterName", "OneRunPerBatch"), WRONG):
        body = watching | {"DataStoreTriggerInfo": WATCH | {key: wrong}}
        assert api.post(f"{api.P}/Schedules/Create", body).status < 500
    for key, wrong in itertools.product(WEEKLY["Schedule"], WRONG):
        times = WEEKLY | {"Schedule": WEEKLY["Schedule"] | {key: wrong}}
        assert api.post(f"{api.P}/Schedules/Create", posted | {"Recurrence": times}).status < 500

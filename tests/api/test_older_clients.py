"""Clients of v1's first years: the addresses of its earlier host, and numbers in the place of words."""

import pytest

from endpoints.models import PublishedPipeline
from runs.models import PipelineRun, Run, Source
from runs.states import Status
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def pipeline(workspace):
    return factories.pipeline(workspace, "train")


@pytest.fixture
def submit(api, pipeline):
    def post(query="", body=None, **headers):
        address = f"{api.P}/PipelineRuns/PipelineSubmit/{pipeline.uuid}{query}"
        return api.post(address, {"ExperimentName": "e", **(body or {})}, **headers).body

    return post


@pytest.mark.parametrize("prefix", ["/api/v1.0", "/API/V1.0"])
def test_the_pipelines_service_of_the_earlier_host(api, workspace, pipeline, prefix):
    address = f"{prefix}{workspace.scope}/PipelineRuns"
    made = api.post(f"{address}/PipelineSubmit/{pipeline.uuid}", {"ExperimentName": "e"})
    assert made.status == 200
    assert api.get(f"{address}/{made.body['Id']}").body["Id"] == made.body["Id"]
    assert api.get(f"{prefix}{workspace.scope}/Pipelines").body[0]["Id"] == str(pipeline.uuid)
    assert api.get(f"{prefix}{workspace.scope}/none").status == 404
    assert api.get("/api/schema").status == 200


def test_the_earlier_address_of_mlflow(api, workspace):
    path = f"{workspace.scope}/api/2.0/mlflow/experiments/create"
    made = api.post(f"/mlflow/v1.0{path}", {"name": "e"})
    assert made.status == 200
    again = api.get(
        f"/mlflow/v2.0{workspace.scope}/api/2.0/mlflow/experiments/get-by-name?experiment_name=e"
    )
    assert again.body["experiment"]["experiment_id"] == made.body["experiment_id"]


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?enums=int", {}),
        ("?a=b&ENUMS=Int", {}),
        ("", {"Accept": "application/json; enums=int"}),
        ("", {"Accept": "application/json;enums=int, text/plain"}),
    ],
)
def test_numbers_for_who_asks_for_them(submit, query, headers):
    run = submit(query, **headers)
    keys = ("UploadState", "EntityStatus", "RunType")
    assert [run[key] for key in keys] == [1, 0, 0]
    assert run["Status"]["StatusCode"] == 0


@pytest.mark.parametrize("query", ["", "?enums=words", "?tenums=int", "?enums=integer"])
def test_words_for_everybody_else(submit, query):
    run = submit(query)
    assert (run["UploadState"], run["EntityStatus"]) == ("Completed", "Active")
    assert run["Status"]["StatusCode"] == "NotStarted"


@pytest.mark.parametrize(
    ("status", "of_run", "of_node"),
    [
        (Status.QUEUED, 0, 1),
        (Status.RUNNING, 1, 2),
        (Status.FAILED, 2, 3),
        (Status.COMPLETED, 3, 4),
        (Status.CANCELED, 4, 5),
    ],
)
def test_the_numbers_of_runs_and_of_nodes_differ(api, submit, status, of_run, of_node):
    run = submit()["Id"]
    over = "2026-01-01T00:00:00Z" if status in ("Failed", "Completed", "Canceled") else None
    Run.objects.update(status=status, finished_at=over)
    url = f"{api.P}/PipelineRuns/{run}"
    assert api.get(f"{url}?enums=int").body["Status"]["StatusCode"] == of_run
    nodes = api.post(f"{url}/Graph/AllNodes/Status?enums=int", []).body
    assert nodes["node-one"]["StatusCode"] == of_node
    assert api.post(f"{url}/Graph/Node/StatusCode?enums=int", ["node-one"]).body == of_node


def test_a_type_of_run_sent_as_a_number_is_the_word(submit):
    submit(body={"RunType": 1})
    made = PipelineRun.objects.get()
    assert (made.run_type, made.source) == ("SDK", Source.SDK)


def test_definitions_and_schedules_come_as_numbers_and_go_back_so(api, pipeline):
    PublishedPipeline.objects.update(status="Disabled")
    found = api.get(f"{api.P}/Pipelines/{pipeline.uuid}?enums=int").body
    assert found["EntityStatus"] == 2
    PublishedPipeline.objects.update(status="Active")
    body = {
        "Name": "s",
        "PipelineId": str(pipeline.uuid),
        "ScheduleType": 0,
        "PipelineSubmissionInfo": {"ExperimentName": "e"},
        "Recurrence": {
            "Frequency": "Week",
            "Interval": 1,
            "Schedule": {"Hours": [6], "Minutes": [0], "WeekDays": ["Monday", "Friday"]},
        },
    }
    made = api.post(f"{api.P}/Schedules/Create?enums=int", body)
    assert made.status == 200, made.body
    keys = ("ScheduleType", "ProvisioningStatus", "EntityStatus")
    assert [made.body[key] for key in keys] == [0, 0, 0]
    assert made.body["Recurrence"]["Frequency"] == 1
    assert made.body["Recurrence"]["Schedule"]["WeekDays"] == [0, 4]
    again = api.put(f"{api.P}/Schedules/{made.body['Id']}", made.body)
    assert again.status == 200, again.body

"""A run in two calls: the graph is posted, then the run is started (wire.md 8.1)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from endpoints.models import Graph
from runs import services
from runs.engine import recover
from runs.models import PipelineRun, Run, StepRun
from runs.states import Status
from studio.core.models import Role
from tests import factories

pytestmark = pytest.mark.django_db
LR = {"Name": "lr", "DefaultValue": "0.1", "IsOptional": True, "Type": "1"}


@pytest.fixture
def body(workspace):
    graph = factories.graph(workspace, steps=("one", "two"), edges=[("one", "two")])
    wire = graph.wire
    graph.delete()
    return {
        "CreationInfo": {
            "Description": "two steps",
            "RunSource": "SDK",
            "RunType": "SDK",
            "ContinueExperimentOnNodeFailure": True,
            "ParameterAssignments": {"lr": "0.7"},
            "DataPathAssignments": {},
            "DataSetDefinitionValueAssignments": {},
        },
        "Graph": wire,
        "GraphInterface": {
            "Parameters": [LR],
            "DataPathParameters": [],
            "DataPathParameterList": [],
        },
    }


def make(api, body, experiment="exp"):
    path = f"{api.P}/PipelineRuns/Unsubmitted/CreationInfoWithGraph?experimentName={experiment}"
    return api.post(path, body)


def submit(api, run_id, query=""):
    return api.post(f"{api.P}/PipelineRuns/Submit/{run_id}{query}")


def test_a_run_waits_until_it_is_submitted(api, body):
    made = make(api, body).body
    assert made["IsSubmitted"] is False
    assert made["ParameterAssignments"] == {"lr": "0.7"}
    assert made["RunHistoryExperimentName"] == "exp"
    assert made["Status"]["StatusCode"] == "NotStarted"
    recover()
    assert not StepRun.objects.exists()
    assert submit(api, made["Id"]).status == 200
    assert StepRun.objects.count() == 2
    run = api.get(f"{api.P}/PipelineRuns/{made['Id']}").body
    assert run["IsSubmitted"] is True
    assert run["ContinueExperimentOnNodeFailure"] is True
    assert PipelineRun.objects.get().source == "SDK"


def test_submitting_twice_starts_once(api, body):
    run_id = make(api, body).body["Id"]
    assert [submit(api, run_id).status for _ in range(2)] == [200, 200]
    assert StepRun.objects.count() == 2


def test_below_a_parent(api, body, actor, workspace):
    parent = factories.run(actor, experiment="exp", pipeline=factories.pipeline(workspace))
    run_id = make(api, body).body["Id"]
    assert submit(api, run_id, f"?parentRunId={parent.uuid}").status == 200
    run = Run.objects.get(uuid=run_id)
    assert (run.parent, run.root) == (parent, parent)
    assert set(run.children.values_list("root", flat=True)) == {parent.pk}


def test_canceled_before_it_is_submitted(api, body):
    run_id = make(api, body).body["Id"]
    assert api.delete(f"{api.P}/PipelineRuns/{run_id}/Execution").status == 200
    assert Run.objects.get(uuid=run_id).status == Status.CANCELED
    assert submit(api, run_id).status == 200
    assert not StepRun.objects.exists()


def test_one_that_its_client_forgets_fails_after_a_day(api, body, actor):
    forgotten, fresh = (make(api, body).body["Id"] for _ in range(2))
    tracked = services.make_child(
        actor, uuid=uuid4(), experiment=Run.objects.first().experiment, status=Status.RUNNING
    )
    before = timezone.now() - timedelta(days=1, minutes=1)
    Run.objects.exclude(uuid=fresh).update(created_at=before)
    recover()
    run = Run.objects.get(uuid=forgotten)
    assert (run.status, run.error_code) == (Status.FAILED, "NotSubmitted")
    assert run.error == "Its client did not submit it within a day."
    assert Run.objects.get(uuid=fresh).status == Status.NOT_STARTED
    tracked.refresh_from_db()
    assert tracked.status == Status.RUNNING
    assert submit(api, forgotten).status == 200
    assert not StepRun.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Graph": []}, "Graph"),
        ({"Graph": {"ModuleNodes": [{"Id": "a", "ModuleId": "none"}]}}, ""),
        ({"GraphInterface": 3}, "GraphInterface"),
        ({"CreationInfo": "text"}, "CreationInfo"),
        ({"CreationInfo": {"ParameterAssignments": {"lr": "much"}}}, "lr"),
        ({"CreationInfo": {"ParameterAssignments": []}}, "ParameterAssignments"),
        ({"CreationInfo": {"DataSetDefinitionValueAssignments": 1}}, "DataSet"),
        ({"CreationInfo": {"ContinueExperimentOnNodeFailure": "maybe"}}, "Continue"),
    ],
)
def test_what_cannot_run_leaves_nothing(api, body, change, field):
    reply = make(api, {**body, **change})
    assert reply.status == 400
    assert field in reply.body["error"]["message"]
    assert not Run.objects.exists()
    assert not Graph.objects.exists()


def test_an_experiment_is_needed(api, body):
    assert make(api, body, experiment="").status == 400
    assert not Graph.objects.exists()


@pytest.mark.parametrize(
    ("role", "status"), [(Role.READER, 403), (Role.OPERATOR, 403), (Role.PUBLISHER, 200)]
)
def test_a_graph_of_ones_own_needs_a_publisher(api, api_as, body, role, status):
    reply = make(api_as(role), body)
    assert reply.status == status
    if status == 403:
        assert "may not run code here: this needs the role Publisher" in str(reply.body)
    run_id = make(api, body).body["Id"]
    assert submit(api_as(role), run_id).status == status


def test_tokens_of_one_endpoint_or_step_make_no_runs(api, body, actor, workspace):
    endpoint = factories.endpoint(workspace)
    bounded = type(api)(workspace, factories.token(actor, endpoint_uuid=endpoint.uuid))
    assert make(bounded, body).status == 403
    assert submit(bounded, make(api, body).body["Id"]).status == 403


def test_other_workspaces_have_no_such_run(elsewhere, api, body):
    assert submit(elsewhere, make(api, body).body["Id"]).status == 404
    assert submit(api, "no-uuid").status == 404

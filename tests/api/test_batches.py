"""Many runs in one call: all of them or none, and a step's token makes children of its own only."""

from uuid import uuid4

import pytest

from runs import run_tokens, services
from runs.models import Run
from runs.states import Status
from tests import factories
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


def child(parent, **more):
    return {"runId": str(uuid4()), "parentRunId": str(parent.uuid), "status": "NotStarted", **more}


def start(*rows):
    name = "Microsoft.MachineLearning.Run.Start"
    return {"events": [{"name": name, "data": {"RunId": row["runId"]}} for row in rows]}


@pytest.fixture
def parent(actor, workspace):
    return factories.run(actor, experiment="churn", pipeline=factories.pipeline(workspace))


@pytest.fixture
def batch(api, parent):
    return f"{api.H}/experiments/churn/batch"


def test_children_are_made_and_started(api, batch, parent):
    rows = [child(parent, tags={"rate": rate}) for rate in (1, 2)]
    reply = api.patch(f"{batch}/runs", {"runs": rows})
    assert reply.status == 200, reply.body
    assert reply.body["errors"] == {}
    made = [reply.body["runs"][row["runId"]] for row in rows]
    assert [run["tags"] for run in made] == [{"rate": "1"}, {"rate": "2"}]
    assert {run["status"] for run in made} == {"NotStarted"}
    assert {run["parentRunId"] for run in made} == {str(parent.uuid)}
    assert api.post(f"{batch}/events", start(*rows)).body == {"errors": []}
    found = Run.objects.filter(uuid__in=[row["runId"] for row in rows])
    assert {run.status for run in found} == {Status.RUNNING}


def test_the_same_batch_again_changes_what_is_there(api, batch, parent):
    rows = [child(parent)]
    api.patch(f"{batch}/runs", {"runs": rows})
    again = api.patch(f"{batch}/runs", {"runs": [{**rows[0], "tags": {"a": "b"}}]})
    assert again.body["runs"][rows[0]["runId"]]["tags"] == {"a": "b"}
    assert Run.objects.filter(uuid=rows[0]["runId"]).count() == 1


@pytest.mark.parametrize(
    ("wrong", "status", "target"),
    [
        ({"runId": ""}, 400, "runId"),
        ({"runId": "no-uuid"}, 400, "runId"),
        ({"parentRunId": str(uuid4())}, 404, None),
        ({"status": "Asleep"}, 400, "status"),
        ({"tags": [1]}, 400, "tags"),
        ({"name": "n" * 300}, 400, "name"),
    ],
)
def test_one_that_cannot_be_refuses_all(api, batch, parent, wrong, status, target):
    before = Run.objects.count()
    reply = api.patch(f"{batch}/runs", {"runs": [child(parent), {**child(parent), **wrong}]})
    assert (reply.status, reply.body["error"]["target"]) == (status, target)
    assert Run.objects.count() == before


def test_an_event_that_cannot_be_refuses_all(api, batch, parent):
    rows = [child(parent), child(parent)]
    api.patch(f"{batch}/runs", {"runs": rows[:1]})
    assert api.post(f"{batch}/events", start(*rows)).status == 404
    assert api.post(f"{batch}/events", {"events": [{"name": "x.Start", "data": {}}]}).status == 400
    assert Run.objects.get(uuid=rows[0]["runId"]).status == Status.NOT_STARTED


def test_more_than_the_sdk_sends_is_refused(api, batch, parent):
    for path, key in (("runs", "runs"), ("events", "events")):
        call = api.patch if key == "runs" else api.post
        reply = call(f"{batch}/{path}", {key: [child(parent)] * 101})
        assert (reply.status, reply.body["error"]["target"]) == (400, key)


def test_a_step_makes_children_of_its_own_only(actor, batch, parent, workspace):
    step = Run.objects.get(parent=parent)
    caller = Api(workspace, run_tokens.make(step)[0])
    own = child(step)
    assert caller.patch(f"{batch}/runs", {"runs": [own]}).status == 200
    assert caller.post(f"{batch}/events", start(own)).status == 200
    assert caller.patch(f"{batch}/runs", {"runs": [child(parent)]}).status == 403
    orphan = {"runId": str(uuid4())}
    assert caller.patch(f"{batch}/runs", {"runs": [child(step), orphan]}).status == 400
    assert step.children.count() == 1
    other = services.make_child(actor, uuid=uuid4(), parent=parent)
    assert caller.post(f"{batch}/events", start({"runId": str(other.uuid)})).status == 403


def test_runs_are_listed_by_compute_target(api, parent):
    path = f"{api.H}/computes"
    step = Run.objects.get(parent=parent)
    reply = api.get(f"{path}/{step.target}/runs")
    assert [row["runId"] for row in reply.body["value"]] == [str(step.uuid)]
    assert api.get(f"{path}/{step.target}/runs?$filter=(Status eq Failed)").body["value"] == []
    assert api.get(f"{path}/none/runs").status == 404
    for query, target in (("$filter=(", "filter"), ("$top=x", "top"), ("$orderby=a", "orderby")):
        wrong = api.get(f"{path}/{step.target}/runs?{query}")
        assert (wrong.status, wrong.body["error"]["target"]) == (400, target)

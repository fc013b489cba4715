"""Run history (wire.md 9.1, 9.2) and the runs that clients drive themselves (wire.md 9.3)."""

import uuid

import pytest
from django.db import connection

from runs import logs, run_tokens, services
from runs.models import Kind, Run, StepRun
from runs.states import Status
from studio.core.models import Role
from tests import factories
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(actor, workspace):
    pipeline = factories.pipeline(workspace, steps=("one", "two"), edges=[("one", "two")])
    return factories.run(
        actor, experiment="exp", pipeline=pipeline, tags={"team": "a"}, display_name="first"
    )


@pytest.fixture
def step(run):
    return StepRun.objects.select_related("run").get(run__root=run, node_id="node-one").run


@pytest.fixture
def in_step(workspace, step):
    """A caller with the step's own token."""
    return Api(workspace, run_tokens.make(Run.objects.get(pk=step.pk))[0])


def test_three_addresses_of_one_run(api, run):
    dto = api.get(f"{api.H}/runs/{run.uuid}").body
    assert dto == api.get(f"{api.H}/experiments/exp/runs/{run.uuid}").body
    assert dto == api.get(f"{api.H}/experimentids/{run.experiment.uuid}/runs/{run.uuid}").body
    for key in ("runId", "rootRunId", "runNumber", "tags", "properties", "name", "status"):
        assert key in dto
    assert dto["runType"] == dto["properties"]["azureml.runsource"] == "azureml.PipelineRun"
    assert dto["parentRunId"] is None
    assert dto["tags"] == {"team": "a"}
    assert dto["dataContainerId"] == f"dcid.{run.uuid}"
    api.post(f"{api.H}/experiments/other")
    assert api.get(f"{api.H}/experiments/other/runs/{run.uuid}").status == 404


ORDERS = ["StartTimeUtc desc", "CreatedUtc desc", "RunId desc", ""]
OTHER_ORDERS = ["StartTimeUtc asc", "Status desc", "StartTimeUtc", "a" * 500]


@pytest.mark.parametrize("order", ORDERS)
def test_the_orders_that_the_sdk_asks_for(api, actor, run, order):
    newest = services.resubmit(actor, run)
    rows = api.post(
        f"{api.H}/experiments/exp/runs:query", {"orderby": order, "filter": "(ParentRunId eq null)"}
    )
    assert [row["runId"] for row in rows.body["value"]] == [str(newest.uuid), str(run.uuid)]
    assert api.get(f"{api.H}/runs/{run.uuid}/children?$orderby={order}").status == 200


@pytest.mark.parametrize("order", OTHER_ORDERS)
def test_any_other_order_is_refused_by_name(api, run, order):
    reply = api.post(f"{api.H}/experiments/exp/runs:query", {"orderby": order})
    assert (reply.status, reply.body["error"]["target"]) == (400, "orderby")
    reply = api.get(f"{api.H}/runs/{run.uuid}/children?$orderby={order}")
    assert (reply.status, reply.body["error"]["target"]) == (400, "orderby")


def test_step_runs(api, run, step):
    query = "$orderby=StartTimeUtc desc&$top=500"
    rows = api.get(f"{api.H}/experiments/exp/runs/{run.uuid}/children?{query}").body
    assert {row["name"] for row in rows["value"]} == {"one", "two"}
    assert rows["continuationToken"] is None
    dto = api.get(f"{api.H}/runs/{step.uuid}").body
    assert dto["runType"] == "azureml.StepRun"
    assert dto["parentRunId"] == dto["rootRunId"] == str(run.uuid)
    assert dto["tags"]["azureml.nodeid"] == "node-one"
    assert dto["tags"]["azureml.pipeline"] == str(run.uuid)


def test_children_and_queries_page_by_a_token(api, run):
    first = api.get(f"{api.H}/runs/{run.uuid}/children?$top=1").body
    token = first["continuationToken"]
    second = api.get(f"{api.H}/runs/{run.uuid}/children?$top=1&$continuationToken={token}").body
    assert first["value"][0]["runId"] != second["value"][0]["runId"]
    assert second["continuationToken"] is None
    page = api.post(f"{api.H}/runs:query", {"top": 2}).body
    rest = api.post(
        f"{api.H}/runs:query", {"top": 2, "continuationToken": page["continuationToken"]}
    ).body
    assert len(page["value"]) == 2
    assert len(rest["value"]) == 1
    assert api.post(f"{api.H}/runs:query", {"top": "many"}).status == 400


def test_a_page_of_history_costs_the_same_with_more_runs(api, actor, run, queries_of):
    found = lambda: api.post(f"{api.H}/experiments/exp/runs:query", {"filter": ""})  # noqa: E731
    listed = lambda: api.get(f"{api.P}/PipelineRuns/Pipeline/{run.pipeline.uuid}")  # noqa: E731

    def count(more: int) -> list[int]:
        for _ in range(more):
            factories.run(actor, experiment="exp", pipeline=run.pipeline)
        return [queries_of(found), queries_of(listed)]

    few = count(2)
    assert few == count(27)
    assert max(few) <= 8
    assert (len(found().body["value"]), len(listed().body)) == (90, 30)


def test_details_name_logs_that_open_without_a_token(api, anonymous, step):
    logs.LogWriter(step.uuid, logs.DRIVER_LOG, attempt=1).write(b"hello\n")
    details = api.get(f"{api.H}/runs/{step.uuid}/details").body
    address = details["logFiles"]["azureml-logs/70_driver_log.txt"]
    path = address.removeprefix("http://testserver")
    assert anonymous.get(path).raw == b"hello\n"
    assert anonymous.get(path.replace("sig=", "sig=x")).status == 403
    assert anonymous.get(path.partition("?")[0]).status == 403


def test_what_became_of_a_run_and_of_each_step_is_a_log(api, anonymous, run, step):
    name = "logs/azureml/executionlogs.txt"
    Run.objects.transition(step.pk, to=Status.RUNNING, reason="by a worker")

    def read(row):
        address = api.get(f"{api.H}/runs/{row.uuid}/details").body["logFiles"][name]
        return anonymous.get(address.removeprefix("http://testserver")), address

    of_run, address = read(run)
    assert b"step one: NotStarted -> Queued" in of_run.raw
    assert b"step one: Queued -> Running (by a worker)\n" in of_run.raw
    path = address.removeprefix("http://testserver")
    assert anonymous.get(path, Range="bytes=0-9").raw == of_run.raw[:10]
    of_step, _ = read(step)
    assert b"run: Queued -> Running (by a worker)\n" in of_step.raw
    assert b"step one" not in of_step.raw
    artifacts = f"/artifact/v2.0{api.workspace.scope}/artifacts"
    container = f"ExperimentRun/dcid.{run.uuid}"
    assert api.get(f"{artifacts}/contentinfo/{container}/{name}").status == 200
    listed = api.get(f"{artifacts}/prefix/contentinfo/{container}/logs").body["value"]
    assert [row["path"] for row in listed] == [name]
    assert anonymous.get(path.replace("sig=", "sig=x")).status == 403


def test_details_of_a_failed_step_carry_the_error(api, step):
    Run.objects.transition(
        step.pk, to=Status.FAILED, error="ValueError: no", error_code="UserError"
    )
    details = api.get(f"{api.H}/runs/{step.uuid}/details").body
    assert details["error"] == {
        "error": {"code": "UserError", "message": "ValueError: no", "details": []}
    }


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("(ParentRunId eq null)", 1),
        ("ParentRunId eq {run}", 2),
        ("RootRunId eq {run}", 3),
        ("RunId eq {run} or RunId eq {step}", 2),
        ("(Status eq NotStarted)", None),
        (
            "(RunType eq azureml.PipelineRun or Properties/azureml.runsource eq azureml.PipelineRun)",
            1,
        ),
        ("(ParentRunId eq null) and (Tags/team eq a)", 1),
        ("(Tags/team eq b)", 0),
        ("(Tags/team ne null)", 1),
        ("(Tags/team ne null or Tags/team eq null)", 1),
        ("(Tags/other ne null or Tags/other eq null)", 0),
        ('((Tags/team eq "a") and (ParentRunId eq null))', 1),
        ('(Tags/team eq "b")', 0),
        ("(Properties/azureml.pipelineid ne null or Properties/azureml.pipelineid eq null)", 1),
        ("(Properties/azureml.pipelineid eq {pipeline})", 1),
        ("(Target eq cpu-cluster)", 2),
        ("(CreatedUtc ge 2020-01-01T00:00:00Z)", 3),
        ("(CreatedUtc lt 2020-01-01)", 0),
        ("(RunTypeV2/Orchestrator eq Pipeline)", 1),
        ("DisplayName eq 'first'", 1),
        ("not-an-id eq 1", 400),
        ("RunId eq", 400),
        ("(RunId eq x", 400),
        ("CreatedUtc ge yesterday", 400),
        ("CreatedUtc gt 0001-01-01T00:00:00+14:00", 400),
        ("CreatedUtc lt 9999-12-31T23:59:59-14:00", 400),
        ("CreatedUtc gt 0001-01-01T00:00:00Z", 3),
        ("Status gt Running", 400),
        ("(" * 50 + "Status eq Running" + ")" * 50, 400),
        ("x eq eq eq (" * 300, 400),
        ("RunId eq nobody", 0),
        ("Status eq Running or", 400),
        ("Status eq 'Running", 0),
        ("Status eq 'Running'x", 400),
        ("status eq" + " " * 19_000 + "x(", 400),
        ("DisplayName eq x" + " " * 19_000 + "y", 0),
        (" " * 9000 + "DisplayName   eq   first" + " " * 9000, 1),
        ("", 3),
    ],
)
def test_filters(api, run, step, text, count):
    wanted = text.replace("{run}", str(run.uuid)).replace("{step}", str(step.uuid))
    wanted = wanted.replace("{pipeline}", str(run.pipeline.uuid))
    reply = api.post(f"{api.H}/experiments/exp/runs:query", {"filter": wanted, "top": 500})
    if count == 400:
        assert reply.status == 400
        assert reply.body["error"]["message"]
    else:
        assert reply.status == 200
        assert count is None or len(reply.body["value"]) == count


def test_a_long_tag_is_compared_to_its_end(api, run):
    start = "x" * 255
    assert api.patch(f"{api.H}/runs/{run.uuid}", {"tags": {"long": f"{start}A"}}).status == 200
    for end, count in (("A", 1), ("B", 0), ("", 0)):
        wanted = {"filter": f"tags/long eq '{start}{end}'"}
        assert len(api.post(f"{api.H}/runs:query", wanted).body["value"]) == count


def test_patch_merges_only_what_it_names(api, run):
    url = f"{api.H}/runs/{run.uuid}"
    reply = api.patch(url, {"runId": str(run.uuid), "tags": {"more": "1"}})
    assert reply.body["tags"] == {"team": "a", "more": "1"}
    assert api.patch(url, {"properties": {"p": "q"}}).body["properties"]["p"] == "q"
    named = api.patch(url, {"displayName": "second", "description": "d"}).body
    assert (named["displayName"], named["description"]) == ("second", "d")
    assert api.delete(f"{url}/tags", ["more"]).body["tags"] == {"team": "a"}
    assert api.get(url).body["displayName"] == "second"


def test_a_client_cannot_say_how_a_pipeline_run_ended(api, run):
    api.patch(f"{api.H}/runs/{run.uuid}", {"status": "Completed"})
    assert api.get(f"{api.H}/runs/{run.uuid}").body["status"] != "Completed"


def test_readers_change_nothing(api_as, run):
    reader = api_as(Role.READER)
    assert reader.patch(f"{reader.H}/runs/{run.uuid}", {"tags": {"x": "y"}}).status == 403


def test_experiments(api, run):
    assert api.get(f"{api.H}/experiments/exp").body["name"] == "exp"
    assert api.get(f"{api.H}/experiments/new").status == 404
    made = api.post(f"{api.H}/experiments/new").body
    assert made == api.post(f"{api.H}/experiments/new").body
    assert made == api.get(f"{api.H}/experimentids/{made['experimentId']}").body
    names = {row["name"] for row in api.post(f"{api.H}/experiments:query").body["value"]}
    assert names == {"exp", "new"}
    assert api.post(f"{api.H}/experiments/{'x' * 256}").status == 400


# --- a client's own runs --------------------------------------------------------------------------------
def test_start_logging_and_complete(api, run):
    new = uuid.uuid4()
    url = f"{api.H}/experiments/exp/runs/{new}"
    made = api.patch(
        url, {"runId": str(new), "status": "NotStarted", "name": "mine", "target": "sdk"}
    )
    assert made.status == 200
    assert made.body["name"] == "mine"
    event = {"name": "Microsoft.MachineLearning.Run.Start", "data": {"RunId": str(new)}}
    assert api.post(f"{url}/events", event).status == 200
    assert api.get(url).body["status"] == "Running"
    api.post(f"{url}/events", {"name": "Microsoft.MachineLearning.Run.Completed"})
    assert api.get(url).body["status"] == "Completed"
    assert Run.objects.get(uuid=new).kind == Kind.SCRIPT


def test_a_run_is_made_only_below_an_experiment_or_a_parent(api, run):
    new = uuid.uuid4()
    assert api.patch(f"{api.H}/runs/{new}", {"name": "mine"}).status == 404
    made = api.patch(f"{api.H}/runs/{new}", {"name": "c", "parentRunId": str(run.uuid)})
    assert made.body["parentRunId"] == str(run.uuid)
    assert api.patch(f"{api.H}/experiments/exp/runs/no-uuid", {"name": "c"}).status == 400
    unknown = {"parentRunId": str(uuid.uuid4())}
    assert api.patch(f"{api.H}/experiments/exp/runs/{uuid.uuid4()}", unknown).status == 404


def test_two_that_make_the_same_run_at_once_both_have_it(api, actor, run):
    new, made = uuid.uuid4(), []

    def make_it_after_it_was_looked_for(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if not made and new.hex in str(params).replace("-", ""):
            made.append(None)
            made[0] = services.make_child(actor, uuid=new, parent=run, name="rival")
        return result

    body = {"parentRunId": str(run.uuid), "name": "c", "tags": {"a": "b"}}
    with connection.execute_wrapper(make_it_after_it_was_looked_for):
        reply = api.patch(f"{api.H}/runs/{new}", body)
    assert reply.status == 200
    assert reply.body["name"] == "rival"
    assert reply.body["tags"] == {"a": "b"}


# --- a step's own token -------------------------------------------------------------------------------
def test_a_steps_token_reads_its_tree_and_nothing_else(in_step, actor, workspace, run, step):
    other = factories.run(actor, experiment="o", pipeline=factories.pipeline(workspace))
    for uuid_ in (run.uuid, step.uuid):
        assert in_step.get(f"{in_step.H}/runs/{uuid_}").status == 200
    assert in_step.get(f"{in_step.P}/PipelineRuns/{run.uuid}").status == 200
    assert in_step.get(f"{in_step.H}/runs/{other.uuid}").status == 404
    assert in_step.get(f"{in_step.P}/Pipelines").status == 403
    trigger = f"{in_step.P}/PipelineRuns/PipelineSubmit/{run.pipeline.uuid}"
    assert in_step.post(trigger, {"ExperimentName": "e"}).status in (403, 404)
    assert in_step.delete(f"{in_step.P}/PipelineRuns/{run.uuid}/Execution").status == 403


def test_a_steps_token_writes_its_run_its_children_and_facts_of_its_parent(in_step, run, step):
    sibling = StepRun.objects.get(run__root=run, node_id="node-two").run
    tags, name = {"tags": {"a": "b"}}, {"displayName": "x"}
    assert in_step.patch(f"{in_step.H}/runs/{step.uuid}", name).status == 200
    assert in_step.patch(f"{in_step.H}/runs/{run.uuid}", tags).status == 200
    assert in_step.patch(f"{in_step.H}/runs/{run.uuid}", name).status == 403
    assert in_step.patch(f"{in_step.H}/runs/{sibling.uuid}", tags).status == 403
    child = f"{in_step.H}/experimentids/{run.experiment.uuid}/runs/{uuid.uuid4()}"
    made = in_step.patch(child, {"parentRunId": str(step.uuid), "name": "c"})
    assert made.status == 200
    assert in_step.patch(child, name).status == 200
    stray = f"{in_step.H}/experimentids/{run.experiment.uuid}/runs/{uuid.uuid4()}"
    assert in_step.patch(stray, {"name": "c"}).status == 400
    assert in_step.patch(stray, {"parentRunId": str(sibling.uuid)}).status == 403


def test_a_steps_token_is_renewed_by_itself_alone_and_dies_with_the_run(in_step, api, step, run):
    reply = in_step.get(f"{in_step.H}/runs/{step.uuid}/token").body
    assert Api(in_step.workspace, reply["token"]).get(f"{api.H}/runs/{step.uuid}").status == 200
    assert in_step.get(f"{in_step.H}/runs/{run.uuid}/token").status == 404
    assert api.get(f"{api.H}/runs/{step.uuid}/token").status == 404
    Run.objects.transition(step.pk, to=Status.CANCELED)
    assert in_step.get(f"{in_step.H}/runs/{step.uuid}").status == 401


def test_a_step_that_a_client_says_is_canceled_is_canceled(api, api_as, in_step, run, step):
    """`StepRun.cancel()` of the SDK is this event."""
    event = {"name": "Microsoft.MachineLearning.Run.Canceled", "data": {"RunId": str(step.uuid)}}
    url = f"{api.H}/runs/{step.uuid}/events"
    assert in_step.post(url, event).status == 403
    assert api_as(Role.READER).post(url, event).status == 403
    assert api.post(url, event).status == 200
    step.refresh_from_db()
    assert step.status == Status.CANCELED
    assert api.post(url, event).status == 200  # it is over
    assert api.post(f"{api.H}/runs/{run.uuid}/events", event).status == 200
    run.refresh_from_db()
    assert run.status == Status.CANCELED


def test_a_client_tells_why_its_own_run_failed(api, workspace):
    run_id = "5b1d5bb0-0000-4000-8000-000000000001"
    api.post(f"{api.H}/experiments/mine")
    url = f"{api.H}/experiments/mine/runs/{run_id}"
    assert api.patch(url, {"runId": run_id, "status": "Running"}).status == 200
    event = {"name": "Microsoft.MachineLearning.Run.Error"}
    for wrong in (
        3,
        {"ErrorResponse": []},
        {"ErrorResponse": {"error": {"message": ["x"]}}},
    ):
        assert api.post(f"{url}/events", {**event, "data": wrong}).status == 400
    code = "a" * 60
    why = {"ErrorResponse": {"error": {"code": code + "b", "message": "it went wrong"}}}
    assert api.post(f"{url}/events", {**event, "data": why}).status == 200
    assert api.get(url).body["status"] == "Running"
    failed = {"name": "Microsoft.MachineLearning.Run.Failed", "data": {}}
    assert api.post(f"{url}/events", failed).status == 200
    row = api.get(url).body
    assert row["status"] == "Failed"
    assert row["error"]["error"] == {"code": code, "message": "it went wrong", "details": []}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("status eq Running or", "The filter lacks a comparison at its end."),
        ("(status eq Running and)", "The filter lacks a comparison at ')'."),
        ("name eq 'a' or and name eq b", "The filter lacks a comparison at 'and name eq b'."),
        ("()", "The filter lacks a comparison at ')'."),
        ("status eq", "The filter lacks a value at its end."),
        ("(status eq ) or name eq a", "The filter lacks a value at ') or name eq a'."),
        ("status eq and name eq b", "The filter lacks a value at 'and name eq b'."),
        (" or ".join(["name eq x"] * 451), "The filter has more than 450 comparisons."),
        (" and ".join(["tags/a eq x"] * 51), "The filter compares more than 50 tags."),
    ],
)
def test_a_filter_that_is_not_whole_says_what_it_lacks(api, text, message):
    reply = api.post(f"{api.H}/runs:query", {"filter": text})
    assert (reply.status, reply.body["error"]["message"]) == (400, message)


def test_a_filter_of_many_comparisons_is_answered(api, run):
    for other, most in (("name eq x{}", 449), ("Status eq Canceled", 449), ("tags/{} eq x", 50)):
        texts = [f"RunId eq {run.uuid}", *(other.format(number) for number in range(most))]
        for joint, count in ((" or ", 1), (" and ", 0)):
            reply = api.post(f"{api.H}/runs:query", {"filter": joint.join(texts)})
            assert (reply.status, len(reply.body["value"])) == (200, count)
    joined = {"filter": f"RunId eq {run.uuid} and(name ne x or(name eq y))"}
    assert len(api.post(f"{api.H}/runs:query", joined).body["value"]) == 1

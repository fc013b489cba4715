"""The keys of a trigger's body: whose names callers know, and what is said of the others (wire.md 7)."""

import json

import pytest

from endpoints.models import PipelineEndpoint
from runs.models import Kind, PipelineRun, Run, RunAttribute
from runs.schedules import scheduler
from tests import factories

pytestmark = pytest.mark.django_db
LR = {"Name": "lr", "DefaultValue": "0.1", "IsOptional": True, "Type": "1"}
KEY = {"Name": "key", "DefaultValue": "", "IsOptional": True, "Type": "3", "Secret": True}


@pytest.fixture
def endpoint(workspace):
    pipeline = factories.pipeline(
        workspace, "train", steps=("one", "two"), edges=[("one", "two")], parameters=[LR, KEY]
    )
    return factories.endpoint(workspace, "Compare/nightly", pipelines=[pipeline])


@pytest.fixture
def url(api, endpoint):
    return f"{api.P}/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint.uuid}"


def run_of(reply) -> Run:
    assert reply.status == 200, reply.body
    return Run.objects.select_related("pipeline_run").get(uuid=reply.body["Id"])


def warnings_of(api, url, raw: str) -> list[str]:
    reply = api.post(url, raw=raw.encode())
    assert reply.status == 200, reply.body
    assert reply.body["HasWarnings"] is bool(reply.body["Warnings"])
    return reply.body["Warnings"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ExperimentName": null}'])
def test_without_an_experiment_it_is_called_like_the_endpoint(api, url, body):
    reply = api.post(url, raw=body)
    assert reply.body["RunHistoryExperimentName"] == "Compare-nightly"
    assert reply.body["HasWarnings"] is True
    assert "No ExperimentName was given" in reply.body["Warnings"][0]
    assert "'Compare-nightly'" in reply.body["Warnings"][0]


def test_without_an_experiment_it_is_called_like_the_pipeline(api, endpoint):
    pipeline = endpoint.default_version.pipeline
    reply = api.post(f"{api.P}/PipelineRuns/PipelineSubmit/{pipeline.uuid}", {})
    assert reply.body["RunHistoryExperimentName"] == "train"
    assert len(reply.body["Warnings"]) == 1


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ('"ParameterAssignment": {"lr": "0.5"}', "Did you mean ParameterAssignments?"),
        ('"parameter_assignments": {"lr": "0.5"}', "Did you mean ParameterAssignments?"),
        ('"PipelineVersion": 1', "?pipelineVersion="),
        ('"Nonsense": 1', "The body has no key 'Nonsense'"),
        ('"tags": {"a": "b"}, "Tags": {"c": "d"}', "The body has tags and Tags"),
        ('"Description": "a", "Description": "b"', "The body names Description more than once"),
        ('"ParameterAssignments": {"lr": 1, "lr": 2}', "ParameterAssignments names lr more than"),
        ('"StepTags": {"a": "1", "a": "2"}', "StepTags names a more than once"),
    ],
)
def test_an_unknown_or_doubled_key_warns_and_a_strict_endpoint_refuses(
    api, url, endpoint, raw, said
):
    raw = f'{{"ExperimentName": "e", {raw}}}'
    [warning] = warnings_of(api, url, raw)
    assert said in warning
    made = Run.objects.count()
    PipelineEndpoint.objects.update(is_strict=True)
    refused = api.post(url, raw=raw.encode())
    assert refused.status == 400
    message = refused.body["Error"]["Message"]
    assert said in message
    assert "ignored" not in message and "counts" not in message  # nothing was run
    assert Run.objects.count() == made


def test_of_a_doubled_key_the_last_one_counts(api, url):
    raw = b'{"ExperimentName": "e", "ParameterAssignments": {"lr": 1, "lr": 2}}'
    assert run_of(api.post(url, raw=raw)).pipeline_run.parameters["lr"] == "2"


def test_an_error_bears_the_wires_name_of_a_field_and_the_callers_of_a_parameter(api, workspace):
    names = ("experiment", "version", "settings")
    rows = [{"Name": name, "DefaultValue": "1", "IsOptional": True, "Type": "0"} for name in names]
    pipeline = factories.pipeline(workspace, parameters=rows)
    url = f"{api.P}/PipelineRuns/PipelineSubmit/{pipeline.uuid}"
    for name in names:
        body = {"ExperimentName": "e", "ParameterAssignments": {name: "many"}}
        assert api.post(url, body).body["Error"]["Target"] == name
    assert api.post(url, {"ExperimentName": "a/b"}).body["Error"]["Target"] == "ExperimentName"


@pytest.mark.parametrize(
    "extra",
    [
        '"AzDevOpsCallBackInfo": {"PlanId": "1"}',
        '"EnableNotification": null',
        '"ScheduleId": null',
        '"displayName": "d"',
        '"continueOnStepFailure": true',
    ],
)
def test_what_clients_of_v1_send_is_taken_without_a_word(api, url, endpoint, extra):
    PipelineEndpoint.objects.update(is_strict=True)
    assert warnings_of(api, url, f'{{"ExperimentName": "e", {extra}}}') == []


def test_a_body_of_unknown_keys_only_is_told_of_the_first_ones(api, url):
    body = {"ExperimentName": "e"} | {f"key{number}" * 40: 1 for number in range(500)}
    warnings = warnings_of(api, url, json.dumps(body))
    assert len(warnings) == 20
    assert max(map(len, warnings)) < 200


def test_a_secret_below_a_misspelt_key_is_not_kept(api, url):
    run = run_of(api.post(url, {"ExperimentName": "e", "ParameterAssignment": {"key": "hush"}}))
    assert "hush" not in json.dumps(run.pipeline_run.raw_request)


def test_the_names_of_data_factory(api, url):
    parent = api.post(url, {"ExperimentName": "e"}).body["Id"]
    body = {"ExperimentName": "e", "ParentRunId": parent, "continueOnStepFailure": True}
    child = run_of(api.post(url, body))
    assert str(child.parent.uuid) == parent
    assert child.pipeline_run.continue_on_step_failure is True
    assert child.pipeline_run.warnings == []
    missing = {"ExperimentName": "e", "ParentRunId": "5b1d5bb0-0000-4000-8000-000000000000"}
    assert api.post(url, missing).status == 404


def test_step_tags_are_tags_of_every_step(api, url):
    body = {"ExperimentName": "e", "Tags": {"a": "b"}, "StepTags": {"BuildId": 7, "x": "y"}}
    run = run_of(api.post(url, body))
    assert run.tags == {"a": "b"}
    steps = list(Run.objects.filter(parent=run, kind=Kind.STEP).order_by("number"))
    assert [step.name for step in steps] == ["one", "two"]
    for step in steps:
        told = api.get(f"{api.H}/runs/{step.uuid}").body["tags"]
        assert told == {
            "BuildId": "7",
            "x": "y",
            "azureml.nodeid": f"node-{step.name}",
            "azureml.pipeline": str(run.uuid),
        }
    found = api.post(f"{api.H}/runs:query", {"filter": "(Tags/BuildId eq 7)"}).body["value"]
    assert {row["runId"] for row in found} == {str(step.uuid) for step in steps}
    assert RunAttribute.objects.filter(run__in=steps, kind="tag").count() == 4


def test_a_step_tag_cannot_take_the_place_of_the_studios_own(api, url):
    body = {"ExperimentName": "e", "StepTags": {"azureml.nodeid": "other"}}
    run = run_of(api.post(url, body))
    step = Run.objects.filter(parent=run).first()
    assert step.tags["azureml.nodeid"] == "node-one"
    assert api.post(url, {"ExperimentName": "e", "StepTags": {"a": {}}}).status == 400
    many = {f"tag{number}": "x" for number in range(51)}
    refused = api.post(url, {"ExperimentName": "e", "StepTags": many})
    assert (refused.status, refused.body["Error"]["Target"]) == (400, "StepTags")


def test_the_reply_names_the_run_its_page_and_who_made_it(api, actor, url):
    reply = api.post(url, {"ExperimentName": "e"}).body
    assert reply["PipelineRunId"] == reply["Id"]
    assert reply["RunUrl"] == f"http://testserver/runs/{reply['Id']}/"
    assert reply["CreatedBy"] == {
        "UserObjectId": str(actor.user.uuid),
        "UserTenantId": "studio",
        "UserName": actor.name,
    }
    again = api.get(f"{api.P}/PipelineRuns/{reply['Id']}").body
    keys = ("PipelineRunId", "RunUrl", "CreatedBy")
    assert [again[key] for key in keys] == [reply[key] for key in keys]


def test_the_runs_of_a_schedule_warn_of_its_keys_and_a_strict_endpoint_refuses_it(api, endpoint):
    body = {
        "Name": "s",
        "PipelineEndpointId": str(endpoint.uuid),
        "Recurrence": {"Frequency": "Hour", "Interval": 1},
        "PipelineSubmissionInfo": {"ExperimentName": "e", "ParameterAssignment": {"lr": "0.5"}},
    }
    assert api.post(f"{api.P}/Schedules/Create", body).status == 200
    scheduler.tick()
    [warning] = PipelineRun.objects.get().warnings
    assert "Did you mean ParameterAssignments?" in warning
    PipelineEndpoint.objects.update(is_strict=True)
    refused = api.post(f"{api.P}/Schedules/Create", body)
    assert refused.status == 400
    assert "Did you mean ParameterAssignments?" in refused.body["Error"]["Message"]


def test_what_a_schedule_cannot_do_with_each_of_its_runs_is_said(api, endpoint, url):
    parent = api.post(url, {"ExperimentName": "e"}).body["Id"]
    info = {"ExperimentName": "e", "ParentRunId": parent, "displayName": "d"}
    body = {
        "Name": "s",
        "PipelineEndpointId": str(endpoint.uuid),
        "Recurrence": {"Frequency": "Hour", "Interval": 1},
        "PipelineSubmissionInfo": info,
    }
    assert api.post(f"{api.P}/Schedules/Create", body).status == 200
    scheduler.tick()
    made = PipelineRun.objects.get(run__schedule__isnull=False)
    assert made.run.parent is None
    assert sorted(made.warnings) == [  # in the order in which the database keeps the keys
        "DisplayName is read from the body of a trigger only: it was ignored.",
        "ParentRunId is read from the body of a trigger only: it was ignored.",
    ]
    PipelineEndpoint.objects.update(is_strict=True)
    refused = api.post(f"{api.P}/Schedules/Create", body)
    assert refused.status == 400
    assert "ParentRunId is read" in refused.body["Error"]["Message"]
    info.update({"ParentRunId": None, "displayName": None})
    assert api.post(f"{api.P}/Schedules/Create", body).status == 200


def test_a_body_that_brings_its_graph_warns_of_its_keys_too(api, workspace):
    graph = factories.graph(workspace, steps=("one",), parameters=[LR])
    url = f"{api.P}/PipelineRuns/Unsubmitted/CreationInfoWithGraph?experimentName=e"
    sent = {
        "CreationInfo": {
            "Description": "d",
            "RunHistoryExperimentName": "e",
            "RunSource": "SDK",
            "ParameterAssignments": {"lr": "0.2"},
            "ContinueRunOnStepFailure": True,
            "EnableNotification": None,
            "CredentialPassthrough": False,
        },
        "Graph": graph.wire,
        "GraphInterface": {"Parameters": [LR]},
        "GraphLayout": None,
    }
    assert warnings_of(api, url, json.dumps(sent)) == []
    assert PipelineRun.objects.get().continue_on_step_failure is True
    raw = json.dumps(sent | {"GraphInterfaces": {}}).replace(
        '"RunSource"', '"ParameterAssignment": {"lr": "0.5"}, "Tags": {}, "tags": {}, "RunSource"'
    )
    assert warnings_of(api, url, raw) == [
        "The body has no key 'GraphInterfaces': it was ignored. Did you mean GraphInterface?",
        "CreationInfo has no key 'ParameterAssignment': it was ignored."
        " Did you mean ParameterAssignments?",
        "CreationInfo has Tags and tags: only the last one counts.",
    ]

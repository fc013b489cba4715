"""Pipeline drafts: what is kept, what is refused, and what a run or a pipeline of one is (wire.md 8.7)."""

import uuid

import pytest

from endpoints.models import Graph, Module, PublishedPipeline
from runs import sealing
from runs.models import GraphDraft, PipelineDraft, PipelineRun, Run
from studio.core.models import Role
from tests import factories
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db
LR = {"Name": "lr", "DefaultValue": "0.1", "IsOptional": True, "Type": "1"}
KEY = {"Name": "key", "DefaultValue": "plain", "IsOptional": True, "Type": "3", "Secret": True}
INTERFACE = {"Parameters": [LR], "DataPathParameters": [], "DataPathParameterList": []}


@pytest.fixture
def wire(workspace):
    graph = factories.graph(workspace, steps=("one",))
    graph.delete()
    return graph.wire


@pytest.fixture
def graph_draft(api, wire):
    return api.post(f"{api.P}/GraphDrafts", {**wire, "EntityInterface": INTERFACE}).body


def entity(graph_draft, **more):
    info = {"ExperimentName": "exp", "ParameterAssignments": {}, "DataPathAssignments": {}}
    return {
        "Name": "d",
        "Description": "about it",
        "tags": {"team": "a"},
        "Properties": {"p": "q"},
        "GraphDraftId": graph_draft["Id"],
        "PipelineSubmissionInfo": info | more.pop("info", {}),
    } | more


@pytest.fixture
def draft(api, graph_draft):
    return api.post(f"{api.P}/PipelineDrafts/Create", entity(graph_draft)).body


def submit(api, draft):
    return api.post(f"{api.P}/PipelineRuns/PipelineDraftSubmit", draft)


def put(api, draft, **changes):
    return api.put(f"{api.P}/PipelineDrafts/{draft['Id']}", {**draft, **changes})


def test_comes_back_as_it_was_made_with_a_value_for_every_parameter(api, wire, graph_draft, draft):
    assert graph_draft["ModuleNodes"] == wire["ModuleNodes"]
    assert graph_draft["EntityInterface"] == INTERFACE
    assert api.get(f"{api.P}/GraphDrafts/{graph_draft['Id']}").body == graph_draft
    assert api.get(f"{api.P}/PipelineDrafts/{draft['Id']}").body == draft
    assert (draft["Name"], draft["tags"], draft["Properties"]) == ("d", {"team": "a"}, {"p": "q"})
    assert draft["PipelineSubmissionInfo"]["ParameterAssignments"] == {"lr": "0.1"}


def test_keys_that_nobody_reads_come_back_too(api, graph_draft):
    info = {"Nonsense": [1], "DisplayName": "d", "Properties": {"p": "q"}, "RunType": "SDK"}
    draft = api.post(f"{api.P}/PipelineDrafts/Create", entity(graph_draft, info=info)).body
    assert draft["PipelineSubmissionInfo"].items() >= info.items()
    assert put(api, draft).body["PipelineSubmissionInfo"].items() >= info.items()


def test_list_is_of_the_workspace_and_by_tags(api, draft, elsewhere):
    ids = lambda tags: [row["Id"] for row in api.post(f"{api.P}/PipelineDrafts", tags).body]  # noqa: E731
    assert ids({}) == ids({"team": "a"}) == [draft["Id"]]
    assert ids({"team": "b"}) == ids({"other": "a"}) == []
    assert api.call("POST", f"{api.P}/PipelineDrafts").status == 200
    place = factories.workspace()
    other = Api(place, factories.token(factories.actor(place)))
    assert other.post(f"{other.P}/PipelineDrafts").body == []


def test_submitted_it_is_a_run_of_the_graph_with_its_values(api, draft):
    put(
        api,
        draft,
        PipelineSubmissionInfo={"ExperimentName": "exp", "ParameterAssignments": {"lr": 2}},
    )
    reply = submit(api, draft)
    assert reply.status == 200
    assert reply.body["ParameterAssignments"] == {"lr": "2"}
    assert reply.body["RunHistoryExperimentName"] == "exp"
    run = Run.objects.get(uuid=reply.body["Id"])
    assert [step.name for step in run.children.all()] == ["one"]
    kept = api.get(f"{api.P}/PipelineDrafts/{draft['Id']}").body
    assert kept["LastSubmittedPipelineRunId"] == reply.body["Id"]


def test_a_graph_put_in_place_brings_its_own_defaults(api, draft, graph_draft):
    other = {"Parameters": [{**LR, "DefaultValue": "0.9"}]}
    path = f"{api.P}/GraphDrafts/{graph_draft['Id']}"
    assert api.put(path, {**graph_draft, "EntityInterface": other}).status == 200
    echo = put(api, draft).body  # what was read before the graph was changed
    assert echo["PipelineSubmissionInfo"]["ParameterAssignments"] == {"lr": "0.9"}
    own = put(api, echo, PipelineSubmissionInfo=info(echo, {"lr": "0.1"})).body
    assert own["PipelineSubmissionInfo"]["ParameterAssignments"] == {"lr": "0.1"}
    assert submit(api, own).body["ParameterAssignments"] == {"lr": "0.1"}


def info(draft, assignments):
    return {**draft["PipelineSubmissionInfo"], "ParameterAssignments": assignments}


def test_published_its_values_are_defaults(api, draft):
    draft = put(api, draft, PipelineSubmissionInfo=info(draft, {"lr": "0.5"})).body
    reply = api.post(f"{api.P}/Pipelines/PipelineDraftCreate", draft)
    assert reply.status == 200
    assert reply.body["Name"] == "d"
    assert reply.body["ParameterAssignments"] == {"lr": "0.5"}
    put(api, draft, PipelineSubmissionInfo=info(draft, {"lr": "0.7"}))
    path = f"{api.P}/PipelineRuns/PipelineSubmit/{reply.body['Id']}"
    run = api.post(path, {"ExperimentName": "e"}).body
    assert run["ParameterAssignments"] == {"lr": "0.5"}


def test_clones_know_what_they_were_made_of(api, draft, actor, workspace):
    pipeline = factories.pipeline(workspace, "name / with: signs", parameters=[LR])
    run = factories.run(actor, experiment="e", pipeline=pipeline, assignments={"lr": "3"})
    path = f"{api.P}/PipelineDrafts"
    of_draft = api.get(f"{path}/Clone/{draft['Id']}").body
    of_pipeline = api.get(f"{path}/ClonePublished/{pipeline.uuid}").body
    of_run = api.get(f"{path}/ClonePipelineRun/{run.uuid}").body
    assert of_draft["ParentPipelineDraftId"] == draft["Id"]
    assert of_draft["GraphDraftId"] != draft["GraphDraftId"]
    assert of_pipeline["ParentPipelineId"] == str(pipeline.uuid)
    assert of_pipeline["PipelineSubmissionInfo"]["ExperimentName"] == "name-with-signs"
    assert of_run["ParentPipelineRunId"] == str(run.uuid)
    assert of_run["ParentStepRunIds"] == [str(step.uuid) for step in run.children.all()]
    assert of_run["PipelineSubmissionInfo"]["ParameterAssignments"] == {"lr": "3"}
    for clone in (of_draft, of_pipeline, of_run):
        assert submit(api, clone).status == 200


def test_values_of_secret_parameters_are_sealed_and_go_nowhere(api, wire):
    interface = {"Parameters": [KEY]}
    graph = api.post(f"{api.P}/GraphDrafts", {**wire, "EntityInterface": interface}).body
    info = {"info": {"ParameterAssignments": {"key": "hidden"}}}
    draft = api.post(f"{api.P}/PipelineDrafts/Create", entity(graph, **info)).body
    assert "hidden" not in str(draft)
    assert "hidden" not in str(PipelineDraft.objects.values_list("settings", flat=True))
    again = put(api, draft, Name="e").body  # with the mask
    run = Run.objects.get(uuid=submit(api, again).body["Id"])
    assert sealing.opened(run.pipeline_run.parameters) == {"key": "hidden"}
    clone = api.get(f"{api.P}/PipelineDrafts/Clone/{draft['Id']}").body
    of_run = api.get(f"{api.P}/PipelineDrafts/ClonePipelineRun/{run.uuid}").body
    published = api.post(f"{api.P}/Pipelines/PipelineDraftCreate", draft).body
    graph = api.get(f"{api.P}/Graphs/{published['GraphId']}/Interface").body
    for shown in (clone, of_run, published, graph):
        assert "hidden" not in str(shown)


def test_a_stale_entity_is_409(api, draft, graph_draft):
    assert put(api, draft, Name="mine").status == 200
    refused = put(api, draft, Name="theirs")
    assert refused.status == 409
    assert api.get(f"{api.P}/PipelineDrafts/{draft['Id']}").body["Name"] == "mine"
    path = f"{api.P}/GraphDrafts/{graph_draft['Id']}"
    assert api.put(path, graph_draft).status == 200
    assert api.put(path, graph_draft).status == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Name": ""}, "Name"),
        ({"Name": "x" * 300}, "Name"),
        ({"tags": []}, "tags"),
        ({"Properties": "x"}, "Properties"),
        ({"PipelineSubmissionInfo": []}, "PipelineSubmissionInfo"),
        ({"PipelineSubmissionInfo": {}}, "xperiment"),
        ({"PipelineSubmissionInfo": {"ExperimentName": "a/b"}}, "xperiment"),
        (
            {"PipelineSubmissionInfo": {"ExperimentName": "e", "ParameterAssignments": [1]}},
            "ParameterAssignments",
        ),
        (
            {"PipelineSubmissionInfo": {"ExperimentName": "e", "ContinueRunOnStepFailure": 3}},
            "ContinueRunOnStepFailure",
        ),
    ],
)
def test_bad_drafts_are_400_naming_the_field_and_change_nothing(api, graph_draft, change, field):
    made = api.post(f"{api.P}/PipelineDrafts/Create", entity(graph_draft, **change))
    assert made.status == 400
    assert field in made.body["Error"]["Message"]
    assert not PipelineDraft.objects.exists()
    draft = api.post(f"{api.P}/PipelineDrafts/Create", entity(graph_draft)).body
    assert put(api, draft, **change).status == 400
    assert api.get(f"{api.P}/PipelineDrafts/{draft['Id']}").body == draft


def test_graphs_that_are_not_there_or_taken(api, graph_draft, draft):
    create = f"{api.P}/PipelineDrafts/Create"
    assert api.post(create, entity(graph_draft)).status == 400
    assert api.post(create, entity({"Id": str(uuid.uuid4())})).status == 404
    assert api.post(create, entity({"Id": ""})).status == 400


@pytest.mark.parametrize(
    "change",
    [
        {"ModuleNodes": {}},
        {"ModuleNodes": [7]},
        {"ModuleNodes": [{"Id": "a"}]},
        {"Edges": "x"},
        {"EntityInterface": []},
        {"EntityInterface": {"Parameters": 7}},
        {"EntityInterface": {"Parameters": [{"Name": ""}]}},
    ],
)
def test_what_is_no_graph_is_400_and_changes_nothing(api, wire, graph_draft, change):
    assert api.post(f"{api.P}/GraphDrafts", {**wire, **change}).status == 400
    path = f"{api.P}/GraphDrafts/{graph_draft['Id']}"
    assert api.put(path, {**graph_draft, **change}).status == 400
    assert GraphDraft.objects.count() == 1
    assert api.get(path).body == graph_draft


@pytest.mark.parametrize(
    ("graph", "assignments", "words"),
    [
        ({"ModuleNodes": []}, {}, "at least one step"),
        (
            {"ModuleNodes": [{"Id": "n", "ModuleId": "3f0c9a52-6d1e-4b7a-9c58-7e2b14d0a6f3"}]},
            {},
            "There is no module",
        ),
        ({}, {"lr": "much"}, "lr"),
    ],
)
def test_what_cannot_run_is_400_and_makes_nothing(
    api, wire, graph_draft, graph, assignments, words
):
    path = f"{api.P}/GraphDrafts/{graph_draft['Id']}"
    assert api.put(path, {**graph_draft, **graph}).status == 200  # a draft may be unfinished
    body = entity(graph_draft, info={"ParameterAssignments": assignments})
    draft = api.post(f"{api.P}/PipelineDrafts/Create", body).body
    refused = submit(api, draft)
    assert refused.status == 400
    assert words in refused.body["Error"]["Message"]
    assert not Run.objects.exists() and not Graph.objects.exists()
    assert not PipelineRun.objects.exists()


def test_deleted_as_the_client_does_it(api, draft, graph_draft):
    assert api.delete(f"{api.P}/GraphDrafts/{graph_draft['Id']}", graph_draft).status == 200
    headless = api.get(f"{api.P}/PipelineDrafts/{draft['Id']}").body
    assert headless["GraphDraftId"] is None
    assert submit(api, headless).status == 409
    assert api.post(f"{api.P}/Pipelines/PipelineDraftCreate", headless).status == 409
    assert api.get(f"{api.P}/PipelineDrafts/Clone/{draft['Id']}").status == 409
    assert put(api, headless, Name="e").status == 200
    assert api.delete(f"{api.P}/PipelineDrafts/{draft['Id']}", draft).status == 200
    assert not PipelineDraft.objects.exists()
    assert not PublishedPipeline.objects.exists()
    assert Module.objects.exists()


def test_deleted_alone_it_takes_its_graph_with_it(api, draft):
    assert api.delete(f"{api.P}/PipelineDrafts/{draft['Id']}").status == 200
    assert not GraphDraft.objects.exists()


@pytest.mark.parametrize(
    ("role", "changes"), [(Role.READER, 403), (Role.OPERATOR, 403), (Role.PUBLISHER, 200)]
)
def test_roles(api_as, draft, graph_draft, wire, role, changes):
    caller = api_as(role)
    path = f"{caller.P}/PipelineDrafts"
    assert caller.get(f"{path}/{draft['Id']}").status == 200
    assert submit(caller, draft).status == changes
    assert caller.post(f"{caller.P}/Pipelines/PipelineDraftCreate", draft).status == changes
    assert caller.get(f"{path}/Clone/{draft['Id']}").status == changes
    assert caller.post(f"{caller.P}/GraphDrafts", wire).status == changes
    assert caller.put(f"{caller.P}/GraphDrafts/{graph_draft['Id']}", wire).status == changes
    assert put(caller, draft, Name="e").status == changes
    assert caller.delete(f"{path}/{draft['Id']}").status == changes


def test_lists_cost_the_same_with_more_rows(api, wire, queries_of):
    def count(more: int) -> int:
        for _ in range(more):
            graph = api.post(f"{api.P}/GraphDrafts", wire).body
            api.post(f"{api.P}/PipelineDrafts/Create", entity(graph))
        return queries_of(lambda: api.post(f"{api.P}/PipelineDrafts"))

    assert count(3) == count(27) <= 6
    assert len(api.post(f"{api.P}/PipelineDrafts").body) == 30

"""Numbers sent where a text is wanted arrive, and are kept, as they were written."""

import json

import pytest

from endpoints import blueprints
from endpoints.graph import read_module
from endpoints.models import Graph, Module, PublishedPipeline, SavedDataset
from runs.models import PipelineDraft, Run, RunAttribute, Schedule
from runs.schedules import scheduler
from tests import factories
from tests.api.known import DATAFLOW

pytestmark = pytest.mark.django_db
SENT = '{"s": 1.10, "v": 3.10, "t": 0.00001, "n": 1e3, "f": 1e3, "whole": 20}'
WRITTEN = {"s": "1.10", "v": "3.10", "t": "0.00001", "n": "1e3", "f": "1e3", "whole": "20"}
PARAMETERS = [
    *({"Name": name, "DefaultValue": "d", "Type": "3"} for name in ("s", "v", "t", "n")),
    {"Name": "f", "DefaultValue": "0.5", "Type": "1"},
    {"Name": "whole", "DefaultValue": "3", "Type": "0"},
]


@pytest.fixture
def pipeline(workspace):
    return factories.pipeline(workspace, "numbers", parameters=PARAMETERS)


def trigger(api, pipeline, raw: str) -> Run:
    reply = api.post(f"{api.P}/PipelineRuns/PipelineSubmit/{pipeline.uuid}", raw=raw.encode())
    assert reply.status == 200, reply.body
    return Run.objects.select_related("pipeline_run").get(uuid=reply.body["Id"])


def test_of_a_trigger(api, pipeline):
    run = trigger(api, pipeline, f'{{"ExperimentName": "e", "ParameterAssignments": {SENT}}}')
    assert run.pipeline_run.parameters == WRITTEN
    kept = RunAttribute.objects.filter(run=run, kind="parameter").values_list("key", "value")
    assert dict(kept) == WRITTEN
    raw = run.pipeline_run.raw_request["ParameterAssignments"]
    assert {name: str(value) for name, value in raw.items()} == WRITTEN
    assert raw["whole"] == 20  # nothing of it would be lost


def test_of_tags_and_properties(api, pipeline):
    body = '{"ExperimentName": 1.10, "tags": {"v": 3.10}, "Properties": {"n": 1e3}}'
    run = trigger(api, pipeline, body)
    assert (run.tags, run.properties["n"]) == ({"v": "3.10"}, "1e3")
    assert run.experiment.name == "1.10"
    patched = api.patch(
        f"{api.H}/runs/{run.uuid}", raw=b'{"tags": {"v": 4.10}, "properties": {"n": 0.00001}}'
    )
    assert patched.body["tags"]["v"] == "4.10"
    assert patched.body["properties"]["n"] == "0.00001"


def test_of_a_run_that_is_repeated(api, actor, pipeline):
    run = trigger(api, pipeline, f'{{"ExperimentName": "e", "ParameterAssignments": {SENT}}}')
    again = factories.run(
        actor, experiment="e", pipeline=pipeline, assignments=run.pipeline_run.parameters
    )
    assert again.pipeline_run.parameters == WRITTEN


def test_of_a_schedule(api, pipeline):
    raw = f"""{{"Name": "s", "PipelineId": "{pipeline.uuid}", "ScheduleType": "0",
        "Recurrence": {{"Frequency": "Hour", "Interval": 1}},
        "PipelineSubmissionInfo": {{"ExperimentName": "e", "ParameterAssignments": {SENT}}}}}"""
    made = api.post(f"{api.P}/Schedules/Create", raw=raw.encode())
    assert made.status == 200, made.body
    scheduler.tick()
    run = Run.objects.get(schedule=Schedule.objects.get())
    assert run.pipeline_run.parameters == WRITTEN
    read = api.get(f"{api.P}/Schedules/{made.body['Id']}").body
    api.put(f"{api.P}/Schedules/{made.body['Id']}", read)
    shown = read["PipelineSubmissionInfo"]["ParameterAssignments"]
    assert {name: str(value) for name, value in shown.items()} == WRITTEN


def test_of_a_draft(api, workspace):
    graph = factories.graph(workspace, parameters=PARAMETERS)
    drawn = api.post(f"{api.P}/GraphDrafts", {**graph.wire, "EntityInterface": graph.interface})
    raw = f"""{{"Name": "d", "GraphDraftId": "{drawn.body["Id"]}",
        "PipelineSubmissionInfo": {{"ExperimentName": "e", "ParameterAssignments": {SENT}}}}}"""
    draft = api.post(f"{api.P}/PipelineDrafts/Create", raw=raw.encode()).body
    run = api.post(f"{api.P}/PipelineRuns/PipelineDraftSubmit", draft)
    assert run.body["ParameterAssignments"] == WRITTEN
    published = api.post(f"{api.P}/Pipelines/PipelineDraftCreate", draft)
    assert published.body["ParameterAssignments"] == WRITTEN
    assert PipelineDraft.objects.count() == PublishedPipeline.objects.count() == 1


def posted(workspace, **node) -> dict:
    """A creation body whose module takes its values as `node` says."""
    module = factories.module(
        workspace, "one", interface={"Parameters": [{"Name": "x", "SetEnvironmentVariable": True}]}
    )
    own = {"Id": "n", "ModuleId": str(module.uuid), **node}
    own.setdefault("ModuleParameters", [{"Name": "Script", "Value": "a.py", "ValueType": "0"}])
    return {"Name": "p", "Graph": {"ModuleNodes": [own]}, "GraphInterface": {"Parameters": []}}


def publish(api, body, **numbers):
    """Publish with the numbers written for their names in capitals."""
    raw = json.dumps(body)
    for name, number in numbers.items():
        raw = raw.replace(f'"{name}"', number)
    reply = api.post(f"{api.P}/Pipelines/Create", raw=raw.encode())
    assert reply.status == 200, reply.body
    return reply.body


def test_of_a_default(api, workspace):
    body = posted(workspace)
    body["GraphInterface"]["Parameters"] = [
        {"Name": "s", "DefaultValue": "ONE", "Type": "3"},
        {"Name": "f", "DefaultValue": "TWO", "Type": "1"},
    ]
    made = publish(api, body, ONE="1.10", TWO="1e16")
    assert made["ParameterAssignments"] == {"s": "1.10", "f": "1e16"}
    run = trigger(api, PublishedPipeline.objects.get(), '{"ExperimentName": "e"}')
    assert run.pipeline_run.parameters == {"s": "1.10", "f": "1e16"}


def test_of_a_nodes_value_and_of_its_variables(api, workspace):
    parameters = [{"Name": "x", "Value": "ONE", "ValueType": "0"}]
    runconfig = '{"environment": {"environmentVariables": {"LEVEL": 3.10}}}'
    made = publish(
        api, posted(workspace, ModuleParameters=parameters, Runconfig=runconfig), ONE="1.10"
    )
    graph = blueprints.load(Graph.objects.get(uuid=made["GraphId"]).uuid).graph
    node = graph.nodes["n"]
    assert node.environment_variables({}) == {"AML_PARAMETER_x": "1.10"}
    assert node.runconfig["environment"]["environmentVariables"] == {"LEVEL": "3.10"}


def test_of_a_modules_arguments(api):
    raw = b"""{"Name": "m", "StructuredInterface": {"Arguments": [
        {"ValueType": "Literal", "Value": 1.10}, {"ValueType": "Literal", "Value": 0}]}}"""
    made = api.post(f"{api.P}/Modules", raw=raw)
    assert made.status == 200, made.body
    module = read_module(Module.objects.get().structured_interface)
    assert [argument.value for argument in module.arguments] == ["1.10", "0"]


def test_of_an_environment_and_a_dataset(api, workspace):
    environment = f"/environment/v1.0{workspace.scope}/environments/e"
    made = api.put(environment, raw=b'{"Name": "e", "environmentVariables": {"LEVEL": 1.10}}')
    assert made.body["environmentVariables"] == {"LEVEL": "1.10"}
    raw = f"""{{"datasetType": "tabular", "dataflowJson": {json.dumps(DATAFLOW)},
        "properties": {{"v": 1.10}}}}"""
    saved = api.post(f"{api.D}/saveddatasets", raw=raw.encode())
    assert saved.status == 200, saved.body
    assert SavedDataset.objects.get().properties == {"v": "1.10"}

import uuid

import pytest

from endpoints.models import PublishedPipeline
from studio.core.models import Role
from tests import factories

pytestmark = pytest.mark.django_db
ARG = {"Name": "epochs", "DefaultValue": "3", "IsOptional": True, "Type": "0"}


@pytest.fixture
def body(workspace):
    graph = factories.graph(workspace, parameters=[ARG])
    return {
        "Name": "train",
        "Description": "demo",
        "Version": "1.0",
        "Graph": graph.wire,
        "GraphInterface": graph.interface,
        "DataSetDefinitionValueAssignments": {},
        "ContinueRunOnStepFailure": True,
        "Properties": {"azureml.git.branch": "main"},
    }


def test_data_types_are_all_there(api):
    rows = api.get(f"{api.P}/DataTypes").body
    assert {row["Id"] for row in rows} >= {"AnyFile", "AnyDirectory", "AzureMLDataset"}
    assert [row["Id"] for row in rows if row["IsDirectory"]] == ["AnyDirectory"]


def test_create_and_read_back(api, body):
    created = api.post(f"{api.P}/Pipelines/Create", body)
    assert created.status == 200
    entity = created.body
    assert entity["ParameterAssignments"] == {"epochs": "3"}
    assert entity["TotalRunSteps"] == 1
    assert entity["EntityStatus"] == "Active"
    assert entity["ContinueRunOnStepFailure"] is True
    assert entity["Properties"] == {"azureml.git.branch": "main"}
    assert entity["Url"] == (f"http://testserver{api.P}/PipelineRuns/PipelineSubmit/{entity['Id']}")
    assert api.get(f"{api.P}/Pipelines/{entity['Id']}").body == entity
    assert api.post(entity["Url"], {"ExperimentName": "e"}).status == 200


def test_create_needs_a_publisher(api_as, body):
    assert (
        api_as(Role.OPERATOR).post(f"{api_as(Role.OPERATOR).P}/Pipelines/Create", body).status
        == 403
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Name": ""}, "Name"),
        ({"Graph": {}}, "Graph"),
        ({"Graph": {"ModuleNodes": [{"Id": "a", "ModuleId": str(uuid.uuid4())}]}}, "ModuleId"),
        ({"GraphInterface": {"Parameters": [{"Type": "0"}]}}, "Name"),
        ({"ContinueRunOnStepFailure": "perhaps"}, "ContinueRunOnStepFailure"),
        ({"Version": "x" * 101}, "Version"),
    ],
)
def test_a_pipeline_that_could_not_run_is_refused_by_name(api, body, change, field):
    reply = api.post(f"{api.P}/Pipelines/Create", body | change)
    assert reply.status == 400
    assert field in str(reply.body["Error"])
    assert not PublishedPipeline.objects.exists()


def test_disable_and_enable_by_a_bare_text(api, workspace):
    pipeline = factories.pipeline(workspace)
    status, trigger = (
        f"{api.P}/Pipelines/{pipeline.uuid}/status",
        f"{api.P}/PipelineRuns/PipelineSubmit/{pipeline.uuid}",
    )
    reply = api.put(status, "Disabled")
    assert (reply.status, reply.raw) == (200, b"")
    refused = api.post(trigger, {"ExperimentName": "e"})
    assert refused.status == 400
    assert "disabled" in refused.body["Error"]["Message"]
    assert api.put(status, "Active").status == 200
    assert api.post(trigger, {"ExperimentName": "e"}).status == 200
    for wrong in ("Deprecated?", 7, None, {}, []):
        assert api.put(status, wrong).status == 400


def test_list_hides_disabled_ones_unless_asked(api, workspace):
    shown, hidden = factories.pipeline(workspace), factories.pipeline(workspace)
    api.put(f"{api.P}/Pipelines/{hidden.uuid}/status", "Disabled")
    ids = lambda query: {row["Id"] for row in api.get(f"{api.P}/Pipelines{query}").body}  # noqa: E731
    assert ids("?activeOnly=true") == ids("") == {str(shown.uuid)}
    assert ids("?activeOnly=false") == {str(shown.uuid), str(hidden.uuid)}
    assert api.get(f"{api.P}/Pipelines?activeOnly=perhaps").status == 400


@pytest.mark.parametrize("rows", ["Pipelines", "PipelineEndpoints"])
def test_lists_cost_the_same_with_more_rows(api, workspace, queries_of, rows):
    def count(more: int) -> int:
        for _ in range(more):
            factories.endpoint(workspace)
        return queries_of(lambda: api.get(f"{api.P}/{rows}"))

    assert count(3) == count(27) <= 8
    assert len(api.get(f"{api.P}/{rows}").body) == 30


def test_graph_and_interface_come_back_as_posted(api, body):
    entity = api.post(f"{api.P}/Pipelines/Create", body).body
    graph = api.get(f"{api.P}/Graphs/{entity['GraphId']}").body
    assert graph["Id"] == entity["GraphId"]
    assert graph["ModuleNodes"] == body["Graph"]["ModuleNodes"]
    interface = api.get(f"{api.P}/Graphs/{entity['GraphId']}/Interface").body
    assert interface == body["GraphInterface"]


MODULE = {
    "Name": "one",
    "IsDeterministic": False,
    "ModuleExecutionType": "escloud",
    "IdentifierHash": f"{'a' * 64}_{'b' * 64}",
    "StructuredInterface": {
        "Inputs": [{"Name": "in", "DataTypeIdsList": ["AnyFile"], "IsOptional": False}],
        "Outputs": [{"Name": "out", "DataTypeId": "AnyDirectory"}],
        "Parameters": [{"Name": "Script", "DefaultValue": "a.py", "ParameterType": "String"}],
        "MetadataParameters": [{"Name": "TargetType", "DefaultValue": "mlc"}],
        "Arguments": [],
    },
    "StepType": "PythonScriptStep",
    "CloudSettings": None,
}


def test_module_by_id_and_by_fingerprint(api):
    missing = api.get(f"{api.P}/Modules/Hash/{MODULE['IdentifierHash']}")
    assert missing.status == 404
    created = api.post(f"{api.P}/Modules", MODULE)
    assert created.status == 200
    assert created.body["UploadState"] == "Completed"
    found = api.get(f"{api.P}/Modules/{created.body['Id']}").body
    assert found == api.get(f"{api.P}/Modules/Hash/{MODULE['IdentifierHash']}").body
    assert found["Data"]["StructuredInterface"] == MODULE["StructuredInterface"]
    assert found["Interface"]["Ports"] == {
        "Inputs": [{"Name": "in", "DataTypesIds": ["AnyFile"], "IsOptional": False}],
        "Outputs": [{"Name": "out", "DataTypeId": "AnyDirectory"}],
    }
    assert found["Interface"]["Parameters"][0]["Name"] == "Script"
    assert found["Interface"]["DataPathParameterList"] == []

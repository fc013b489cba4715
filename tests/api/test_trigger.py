"""The REST trigger, with the bodies callers really send (wire.md 7)."""

import json
import uuid

import pytest

from endpoints.models import Dataset, DatasetVersion, SavedDataset
from runs.models import PipelineRun, Run, Source
from studio.core.models import Role
from tests import factories
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db
ARG = {"Name": "pipeline_arg", "DefaultValue": "10", "IsOptional": True, "Type": "0"}


@pytest.fixture
def endpoint(workspace):
    versions = [factories.pipeline(workspace, f"v{n}", parameters=[ARG]) for n in (0, 1)]
    return factories.endpoint(workspace, "Compare", pipelines=versions)


@pytest.fixture
def url(api, endpoint):
    return f"{api.P}/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint.uuid}"


def run_of(reply) -> Run:
    return Run.objects.select_related("pipeline_run").get(uuid=reply.body["Id"])


@pytest.mark.parametrize("value", [20, "20"])
def test_article_value_as_number_and_as_text(api, url, value):
    reply = api.post(
        url, {"ExperimentName": "My_Pipeline", "ParameterAssignments": {"pipeline_arg": value}}
    )
    assert reply.status == 200
    assert reply.body["ParameterAssignments"] == {"pipeline_arg": "20"}
    assert reply.body["RunHistoryExperimentName"] == "My_Pipeline"
    assert reply.body["HasWarnings"] is False
    assert reply.body["Status"]["StatusCode"] == "NotStarted"
    assert api.get(f"{api.H}/runs/{reply.body['Id']}").status == 200


def test_the_address_is_read_in_any_case(api, endpoint):
    address = f"{api.P}/PipelineRuns/PipelineEndpointSubmit/Id/"
    for spelling in (address.lower(), address.upper(), address.swapcase()):
        reply = api.post(f"{spelling}{endpoint.uuid}/1", {"ExperimentName": "My_Pipeline"})
        assert (reply.status, reply.body["RunHistoryExperimentName"]) == (200, "My_Pipeline")


def test_article_names_no_parameter_has_are_accepted_with_warnings(api, url):
    body = {
        "ExperimentName": "PipelineEndpointExperiment",
        "RunSource": "API",
        "ParameterAssignments": {"1": "united", "2": "city"},
    }
    reply = api.post(url, body)
    assert reply.status == 200
    assert reply.body["HasWarnings"] is True
    assert len(reply.body["Warnings"]) == 2
    assert reply.body["RunSource"] == "API"
    assert run_of(reply).pipeline_run.raw_request == body


def test_article_java_body_without_content_type_under_the_token_scheme(api, url):
    raw = b'{ "ExperimentName" : "My_Pipeline", "ParameterAssignments" : { "pipeline_arg" : "20" }}'
    reply = api.post(url, raw=raw, content_type="", Authorization=f"Token {api.token}")
    assert reply.status == 200


def test_body_of_a_form_posting_curl_is_read(api, url):
    raw = b'{"ExperimentName": "curl"}'
    assert api.post(url, raw=raw, content_type="application/x-www-form-urlencoded").status == 200


def test_keys_are_read_in_any_case_and_unknown_ones_kept(api, url):
    body = {
        "experimentName": "adf",
        "PARAMETERASSIGNMENTS": {"pipeline_arg": "3"},
        "Tags": {"team": "a", "n": 1},
        "Properties": {"p": "q"},
        "continueRunOnStepFailure": "true",
        "AzDevOpsCallBackInfo": {"PlanId": "1"},
    }
    run = run_of(api.post(url, body))
    assert run.tags == {"team": "a", "n": "1"}
    assert run.properties["p"] == "q"
    assert run.pipeline_run.continue_on_step_failure is True
    assert run.pipeline_run.raw_request["AzDevOpsCallBackInfo"] == {"PlanId": "1"}
    assert run.pipeline_run.parameters == {"pipeline_arg": "3"}


@pytest.mark.parametrize(
    ("suffix", "number"),
    [("", 0), ("/0", 0), ("/1", 1), ("/1?pipelineVersion=1", 1), ("?pipelineVersion=1", 1)],
)
def test_default_and_pinned_versions(api, url, suffix, number):
    reply = api.post(f"{url}{suffix}", {"ExperimentName": "e"})
    assert reply.status == 200
    assert run_of(reply).endpoint_version == number


@pytest.mark.parametrize("query", ["name=Compare&pipelineVersion=1", "Name=Compare"])
def test_by_name(api, endpoint, query):
    reply = api.post(
        f"{api.P}/PipelineRuns/PipelineEndpointSubmit/Name?{query}", {"ExperimentName": "e"}
    )
    assert reply.status == 200
    assert run_of(reply).endpoint == endpoint


@pytest.mark.parametrize(
    "address",
    ["{P}/PipelineRuns/PipelineEndpointSubmit/Name?name=Compre", "/endpoints/Compre/submit"],
)
def test_a_mistyped_name_is_told_the_nearest_one(api, endpoint, address):
    reply = api.post(address.format(P=api.P), {"ExperimentName": "e"})
    assert reply.status == 404
    assert reply.body["error"]["message"].endswith("Did you mean 'Compare'?")


@pytest.mark.parametrize("by", ["name", "uuid"])
def test_short_alias(api, endpoint, by):
    reply = api.post(f"/endpoints/{getattr(endpoint, by)}/submit", {"ExperimentName": "e"})
    assert reply.status == 200
    assert run_of(reply).endpoint == endpoint


def test_published_pipeline_itself(api, endpoint):
    pipeline = endpoint.default_version.pipeline
    reply = api.post(
        f"{api.P}/PipelineRuns/PipelineSubmit/{pipeline.uuid}",
        {"ExperimentName": "e", "RunSource": "SDK", "RunType": "SDK"},
    )
    assert reply.body["PipelineId"] == str(pipeline.uuid)
    assert run_of(reply).pipeline_run.source == Source.SDK


def test_parent_run(api, url):
    parent = api.post(url, {"ExperimentName": "e"}).body["Id"]
    child = run_of(api.post(f"{url}?parentRunId={parent}", {"ExperimentName": "e"}))
    assert str(child.parent.uuid) == parent
    assert api.post(f"{url}?parentRunId={uuid.uuid4()}", {"ExperimentName": "e"}).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ExperimentName": ""}, "ExperimentName"),
        ({"ExperimentName": ["x"]}, "ExperimentName"),
        ({"ExperimentName": "x" * 256}, "ExperimentName"),
        ({"ExperimentName": "e", "ParameterAssignments": [1]}, "ParameterAssignments"),
        ({"ExperimentName": "e", "ParameterAssignments": {"pipeline_arg": "ten"}}, "pipeline_arg"),
        ({"ExperimentName": "e", "ParameterAssignments": {"pipeline_arg": [1]}}, "pipeline_arg"),
        ({"ExperimentName": "e", "tags": "x"}, "tags"),
        ({"ExperimentName": "e", "tags": {"a": {}}}, "tags"),
        ({"ExperimentName": "e", "ContinueRunOnStepFailure": 3}, "ContinueRunOnStepFailure"),
        ({"ExperimentName": "e", "RunSource": "x" * 101}, "RunSource"),
        ({"ExperimentName": "e", "DataPathAssignments": 1}, "DataPathAssignments"),
        ([], "body"),
    ],
)
def test_bad_input_is_400_naming_the_field_and_makes_nothing(api, url, body, field):
    reply = api.post(url, raw=json.dumps(body).encode())
    assert reply.status == 400
    assert field in reply.body["Error"]["Message"]
    assert not Run.objects.exists()


def test_version_that_is_not_there_or_no_number(api, url):
    for suffix in ("/7", "/one", "?pipelineVersion=-1", "/0?pipelineVersion=1", "/99999999999"):
        reply = api.post(f"{url}{suffix}", {"ExperimentName": "e"})
        assert reply.status == 400, suffix
        assert "ersion" in reply.body["Error"]["Message"]


def test_unknown_ids(api):
    body = {"ExperimentName": "e"}
    base = f"{api.P}/PipelineRuns"
    for path in (
        f"{base}/PipelineSubmit/{uuid.uuid4()}",
        f"{base}/PipelineSubmit/none",
        f"{base}/PipelineEndpointSubmit/Id/{uuid.uuid4()}",
        f"{base}/PipelineEndpointSubmit/Name?name=none",
        "/endpoints/none/submit",
        f"/endpoints/{uuid.uuid4()}/submit",
    ):
        assert api.post(path, body).status == 404, path
    assert api.post(f"{base}/PipelineEndpointSubmit/Name", body).status == 400


def test_disable_refused_enable_accepted(api, url, endpoint):
    definitions_url = f"{api.P}/PipelineEndpoints/{endpoint.uuid}"
    entity = api.get(f"{api.P}/PipelineEndpoints/Id/{endpoint.uuid}").body
    disabled = api.put(definitions_url, {**entity, "EntityStatus": "Disabled"}).body
    refused = api.post(url, {"ExperimentName": "e"})
    assert refused.status == 400
    assert refused.body["Error"]["Code"] == "Disabled"
    assert "disabled" in refused.body["Error"]["Message"]
    assert not Run.objects.exists()
    assert api.put(definitions_url, {**disabled, "EntityStatus": "Active"}).status == 200
    assert api.post(url, {"ExperimentName": "e"}).status == 200


# --- data ------------------------------------------------------------------------------------------
DATA = {
    "DataPathParameters": [
        {
            "Name": "input_datapath",
            "DefaultValue": {"DataStoreName": "workspaceblobstore", "RelativePath": "in/a"},
            "IsOptional": True,
            "DataTypeId": "AnyFile",
        }
    ],
    "DataPathParameterList": [{"Name": "tabular_ds_param", "IsOptional": True}],
}


@pytest.fixture
def saved(workspace):
    return SavedDataset.objects.create(
        workspace=workspace, dataset_type="tabular", dataflow=DATAFLOW
    )


DATAFLOW = json.dumps({"blocks": [], "meta": {"RsDataflow": "paths:\n- file: https://x.test/a\n"}})


@pytest.fixture
def data_url(api, workspace):
    pipeline = factories.pipeline(workspace, **DATA)
    return f"{api.P}/PipelineRuns/PipelineSubmit/{pipeline.uuid}"


def test_article_dataset_swap(api, data_url, saved):
    chosen = {"tabular_ds_param": {"SavedDataSetReference": {"Id": str(saved.uuid)}}}
    reply = api.post(
        data_url, {"ExperimentName": "MyRestPipeline", "DataSetDefinitionValueAssignments": chosen}
    )
    assert reply.status == 200
    assert reply.body["DataSetDefinitionValueAssignments"] == chosen


def test_registered_dataset_by_name_and_version(api, data_url, saved, workspace):
    dataset = Dataset.objects.create(workspace=workspace, name="titanic")
    DatasetVersion.objects.create(dataset=dataset, number=1, saved=saved)
    chosen = {"tabular_ds_param": {"DataSetReference": {"Name": "titanic", "Version": "1"}}}
    reply = api.post(data_url, {"ExperimentName": "e", "DataSetDefinitionValueAssignments": chosen})
    assert reply.status == 200


def test_data_path_swap(api, data_url, saved):
    chosen = {"input_datapath": {"DataStoreName": "workspaceblobstore", "RelativePath": "in/b"}}
    reply = api.post(
        data_url,
        {
            "ExperimentName": "e",
            "DataPathAssignments": chosen,
            "DataSetDefinitionValueAssignments": {
                "tabular_ds_param": {"SavedDataSetReference": {"Id": str(saved.uuid)}}
            },
        },
    )
    assert reply.status == 200
    assert PipelineRun.objects.get().datapaths == chosen


@pytest.mark.parametrize(
    "wrong", [{"input_datapath": "in/b"}, {"input_datapath": {"RelativePath": "../../etc"}}]
)
def test_wrong_data_paths_are_400(api, data_url, wrong):
    reply = api.post(data_url, {"ExperimentName": "e", "DataPathAssignments": wrong})
    assert reply.status == 400


# --- roles, bounded tokens -----------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "status"), [(Role.READER, 403), (Role.OPERATOR, 200), (Role.PUBLISHER, 200)]
)
def test_roles(api_as, url, role, status):
    assert api_as(role).post(url, {"ExperimentName": "e"}).status == status


def test_token_of_one_endpoint_opens_that_endpoint_alone(api, actor, endpoint, url, workspace):
    other = factories.endpoint(workspace)
    free = run_of(api.post(f"/endpoints/{other.uuid}/submit", {"ExperimentName": "e"}))
    bound = Api(workspace, factories.token(actor, endpoint_uuid=endpoint.uuid))
    mine = bound.post(url, {"ExperimentName": "e"})
    assert mine.status == 200
    assert bound.get(f"{api.P}/PipelineRuns/{mine.body['Id']}").status == 200
    assert bound.get(f"{api.H}/runs/{mine.body['Id']}").status == 200
    assert bound.get(f"{api.P}/PipelineRuns/{free.uuid}").status == 404
    assert bound.post(f"/endpoints/{other.uuid}/submit", {"ExperimentName": "e"}).status == 404
    assert bound.post(f"/endpoints/{other.name}/submit", {"ExperimentName": "e"}).status == 404
    pipeline = f"{api.P}/PipelineRuns/PipelineSubmit/{endpoint.default_version.pipeline.uuid}"
    assert bound.post(pipeline, {"ExperimentName": "e"}).status == 403
    assert [row["Id"] for row in bound.get(f"{api.P}/PipelineEndpoints").body] == [
        str(endpoint.uuid)
    ]
    assert len(bound.get(f"{api.P}/Pipelines").body) == 2
    assert bound.get(f"/datastore/v1.0{workspace.scope}/default").status == 403
    assert bound.delete(f"{api.P}/PipelineRuns/{mine.body['Id']}/Execution").status == 200


def test_a_trigger_costs_few_queries(api, url, django_assert_max_num_queries):
    api.post(url, {"ExperimentName": "e"})
    with django_assert_max_num_queries(24):
        assert api.post(url, {"ExperimentName": "e"}).status == 200

"""What holds for every route alike: a caller is needed, other workspaces are not there, bad input is
the caller's error and never ours."""

import itertools
import json
import uuid

import pytest
from drf_spectacular.validation import validate_schema

pytestmark = pytest.mark.django_db

ID = "5b1d5bb0-0000-4000-8000-000000000000"
P, H, M = "/pipelines/v1.0{W}", "/history/v1.0{W}", "/metric/v2.0{W}"
A, D, C = "/artifact/v2.0{W}/artifacts", "/dataset/v1.0{W}", "/content/v2.0{W}"
GET = [
    "{W}",
    "/rp/workspaces{W}",
    "{W}/computes",
    "/rp/workspaces{W}/computes",
    "/rp/workspaces{W}/computes/none",
    f"{P}/DataTypes",
    f"{P}/Pipelines",
    f"{P}/Pipelines/{ID}",
    f"{P}/PipelineEndpoints",
    f"{P}/PipelineEndpoints/Name?Name=none",
    f"{P}/PipelineEndpoints/Id/{ID}",
    f"{P}/PipelineEndpoints/{ID}/pipelines",
    f"{P}/Graphs/{ID}",
    f"{P}/Graphs/{ID}/Interface",
    f"{P}/Modules/{ID}",
    f"{P}/Modules/Hash/{ID}",
    f"{P}/PipelineRuns/{ID}",
    f"{P}/PipelineRuns/Schedule/{ID}",
    f"{P}/PipelineRuns/Schedule/{ID}/Last",
    f"{P}/Schedules",
    f"{P}/Schedules/{ID}",
    f"{P}/Schedules/Pipeline/{ID}",
    f"{P}/Schedules/PipelineEndpoint/{ID}",
    f"{P}/PipelineRuns/Pipeline/{ID}",
    f"{P}/PipelineRuns/{ID}/PipelineRunOutputs/out",
    f"{H}/experiments/none",
    f"{H}/experimentids/{ID}",
    f"{H}/runs/{ID}",
    f"{H}/experiments/none/runs/{ID}",
    f"{H}/experimentids/{ID}/runs/{ID}",
    f"{H}/runs/{ID}/details",
    f"{H}/runs/{ID}/children",
    f"{H}/runs/{ID}/token",
    f"{H}/experiments/none/runs/{ID}/metricsingest/wait",
    f"{A}/ExperimentRun/dcid.{ID}",
    f"{A}/contentinfo/ExperimentRun/dcid.{ID}/a.txt",
    f"{A}/prefix/contentinfo/ExperimentRun/dcid.{ID}/outputs",
    "/datastore/v1.0{W}/default",
    "/datastore/v1.0{W}/datastores",
    "/datastore/v1.0{W}/datastores/none",
    f"{D}/datasets",
    f"{D}/datasets/query/name=none",
    f"{D}/datasets/query/savedDatasetId={ID}",
    f"{D}/saveddatasets/{ID}",
    f"/data/v1.0{{W}}/dataversion/unregistered-{ID}/versions/1",
    f"{C}/snapshots/latest/metadata",
    "/credential/v2.0{W}/secrets",
    "/credential/v2.0{W}/secrets/none",
    "{W}/computeOperations/done",
    f"{P}/DataSources/{ID}",
    f"{P}/DataSources/Hash/{ID}",
    "/environment/v1.0{W}/environments",
    "/environment/v1.0{W}/environments/none",
    "/environment/v1.0{W}/environments/none/versions/1",
    "/environment/v1.0{W}/environments/none/labels/latest",
    "/modelmanagement/v1.0{W}/assets",
    f"/modelmanagement/v1.0{{W}}/assets/{ID}",
    "/modelmanagement/v1.0{W}/models",
    "/modelmanagement/v1.0{W}/models/none:1",
]
# Routes with a body, and a body that the route takes when what it names exists.
WRITES = [
    ("POST", f"{P}/Pipelines/Create", {"Name": "p", "Graph": {}, "GraphInterface": {}}),
    ("PUT", f"{P}/Pipelines/{ID}/status", "Disabled"),
    ("POST", f"{P}/PipelineEndpoints/Create", {"Name": "e", "PipelineId": ID}),
    ("PUT", f"{P}/PipelineEndpoints/{ID}", {"Name": "e", "PipelineVersionList": []}),
    ("POST", f"{P}/Modules", {"Name": "m", "StructuredInterface": {}}),
    ("POST", f"{P}/Schedules/Create", {"Name": "s", "PipelineId": ID, "Recurrence": {}}),
    ("PUT", f"{P}/Schedules/{ID}", {"Name": "s", "EntityStatus": "Disabled"}),
    ("POST", f"{P}/PipelineRuns/PipelineSubmit/{ID}", {"ExperimentName": "x"}),
    ("POST", f"{P}/PipelineRuns/PipelineEndpointSubmit/Id/{ID}", {"ExperimentName": "x"}),
    ("POST", f"{P}/PipelineRuns/PipelineEndpointSubmit/Id/{ID}/0", {"ExperimentName": "x"}),
    ("POST", f"{P}/PipelineRuns/PipelineEndpointSubmit/Name?name=no", {"ExperimentName": "x"}),
    (
        "POST",
        f"{P}/PipelineRuns/Unsubmitted/CreationInfoWithGraph?experimentName=x",
        {"CreationInfo": {}, "Graph": {}, "GraphInterface": {}},
    ),
    ("POST", f"{P}/PipelineRuns/Submit/{ID}", {}),
    ("DELETE", f"{P}/PipelineRuns/{ID}/Execution", None),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/Node/StatusCode", ["n"]),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/Node/Status", ["n"]),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/AllNodes/Status", []),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/Shareable/STDOUT", ["n"]),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/Shareable/STDERR", ["n"]),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/Shareable/JobLog", ["n"]),
    ("POST", f"{P}/PipelineRuns/{ID}/Outputs", ["n"]),
    ("POST", f"{H}/experiments/made", {}),
    ("POST", f"{H}/experiments:query", {}),
    ("POST", f"{H}/runs:query", {"filter": "(ParentRunId eq null)"}),
    ("POST", f"{H}/experiments/none/runs:query", {"filter": "(ParentRunId eq null)"}),
    ("PATCH", f"{H}/runs/{ID}", {"tags": {"a": "b"}}),
    ("DELETE", f"{H}/runs/{ID}/tags", ["a"]),
    ("POST", f"{H}/runs/{ID}/events", {"name": "Microsoft.MachineLearning.Run.Start"}),
    ("POST", f"{M}/runs/{ID}/batch", {"values": []}),
    ("POST", f"{M}/runs/{ID}/list", {}),
    ("POST", f"{M}/runs/{ID}/full", {"metricName": "m"}),
    ("POST", f"{A}/batch/metadata/ExperimentRun/dcid.{ID}", {"paths": [{"path": "a"}]}),
    ("POST", f"{D}/datasets", {"name": "d", "datasetType": "file", "latest": {"dataflow": "x"}}),
    ("POST", f"{D}/saveddatasets", {"datasetType": "file", "dataflowJson": "x"}),
    ("POST", f"{C}/snapshots/getblob", {"FileNames": ["a.py"]}),
    ("POST", f"{C}/snapshots/{ID}", {"DirTreeNode": {}}),
    ("PUT", "/credential/v2.0{W}/secrets", {"name": "s", "value": "v"}),
    ("PUT", "/credential/v2.0{W}/secrets:putbatch", {"secrets": [{"name": "s", "value": "v"}]}),
    ("POST", "/credential/v2.0{W}/secrets:getbatch", {"secrets": [{"name": "s"}]}),
    ("POST", "/credential/v2.0{W}/secrets:deletebatch", {"secrets": [{"name": "none"}]}),
    ("DELETE", "/credential/v2.0{W}/secrets/none", None),
    ("PUT", "{W}/computes/made", {"properties": {"computeType": "AmlCompute"}}),
    ("PATCH", "{W}/computes/none", {"properties": {"properties": {"scaleSettings": {}}}}),
    ("DELETE", "{W}/computes/none", None),
    ("POST", f"{P}/DataSources", {"Name": "d", "DataStoreName": "none", "PathOnDataStore": "a"}),
    ("PUT", "/environment/v1.0{W}/environments/made", {"Name": "made", "python": {}}),
    ("POST", "/modelmanagement/v1.0{W}/assets", {"name": "a", "artifacts": [{"prefix": "a/b/c"}]}),
    ("POST", "/modelmanagement/v1.0{W}/models", {"name": "m", "url": f"aml://asset/{ID}"}),
    ("PATCH", "/modelmanagement/v1.0{W}/models/none:1", [{"op": "add", "path": "/kvTags"}]),
    ("DELETE", "/modelmanagement/v1.0{W}/models/none:1", None),
]
ALL = [("GET", path, None) for path in GET] + WRITES
WITH_BODY = [row for row in WRITES if row[2] is not None]


def names(rows):
    return [f"{method} {path}" for method, path, _ in rows]


def at(path, api):
    return path.format(W=api.workspace.scope)


@pytest.mark.parametrize(("method", "path", "body"), ALL, ids=names(ALL))
def test_without_a_token_it_is_401(anonymous, method, path, body):
    reply = anonymous.call(method, at(path, anonymous), body)
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    wrong = anonymous.call(method, at(path, anonymous), body, Authorization="Bearer studio_wrong")
    assert wrong.status == 401


@pytest.mark.parametrize(("method", "path", "body"), ALL, ids=names(ALL))
def test_from_another_workspace_it_is_404(elsewhere, method, path, body):
    assert elsewhere.call(method, at(path, elsewhere), body).status == 404


@pytest.mark.parametrize(("method", "path", "body"), ALL, ids=names(ALL))
def test_unknown_ids_are_never_our_error(api, method, path, body):
    for address in (at(path, api), at(path, api).replace(ID, "no-uuid")):
        assert api.call(method, address, body).status in (200, 400, 404, 409)


@pytest.mark.parametrize(("method", "path", "body"), WITH_BODY, ids=names(WITH_BODY))
def test_malformed_json_is_400(api, method, path, body):
    for raw in (b"{", b"\xff\xfe", b'{"a": NaN', b"[" * 100_000, b'{"a": 1e999}', b'"\\u0000"'):
        assert api.call(method, at(path, api), raw=raw).status in (400, 404)


WRONG = [None, True, 7, "text", [], {}, [7], {"a": [7]}, "\x00", "x" * 300]


@pytest.mark.parametrize(("method", "path", "body"), WITH_BODY, ids=names(WITH_BODY))
def test_wrong_types_are_400_and_never_our_error(api, method, path, body):
    for wrong in WRONG:
        assert api.call(method, at(path, api), wrong).status < 500
    if isinstance(body, dict):
        for key, wrong in itertools.product(body, WRONG):
            assert api.call(method, at(path, api), {**body, key: wrong}).status < 500


@pytest.mark.parametrize(("method", "path", "body"), ALL, ids=names(ALL))
def test_trailing_slash_is_optional_and_never_redirects(api, method, path, body):
    if "?" in path or "prefix" in path or path.endswith("a.txt"):
        pytest.skip("the rest of the path is a name here")
    plain = api.call(method, at(path, api), body)
    slash = api.call(method, f"{at(path, api)}/", body)
    assert slash.status in (plain.status, 400, 409)


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT", "POST"])
def test_wrong_method_is_405_in_the_same_shape(api, method):
    assert api.call(method, f"{api.P}/DataTypes").status == 405


@pytest.mark.parametrize(
    "path", ["/pipelines/v1.0/nothing", "/history/v1.0", "/rp/x", "/subscriptions/a/b"]
)
def test_addresses_that_lead_nowhere_are_404_in_the_same_shape(api, anonymous, path):
    assert api.get(path).status == 404
    assert api.post(path).status == 404
    assert anonymous.get(path).status == 401


def test_nul_in_an_address_is_400(api):
    assert api.get(f"{api.H}/experiments/a%00b").status == 400
    assert api.get(f"{api.P}/PipelineEndpoints/Name?Name=a%00b").status == 400


def test_too_large_a_body_is_413(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    raw = json.dumps({"ExperimentName": "x" * 200}).encode()
    path = f"{api.P}/PipelineRuns/PipelineSubmit/{uuid.uuid4()}"
    assert api.post(path, raw=raw).status in (404, 413)
    assert api.post(f"{api.P}/Modules", raw=raw).status == 413


@pytest.mark.parametrize("content_type", ["application/json-patch+json; charset=utf-8", "", "a/b"])
def test_json_is_read_whatever_the_content_type_says(api, content_type):
    raw = b'{"filter": "(ParentRunId eq null)"}'
    assert api.post(f"{api.H}/runs:query", raw=raw, content_type=content_type).status == 200


def test_openapi_document_is_for_callers_only_and_valid(api, anonymous):
    assert anonymous.get("/api/schema").status == 401
    document = api.get("/api/schema").body
    validate_schema(document)
    assert any(path.endswith("/submit") for path in document["paths"])

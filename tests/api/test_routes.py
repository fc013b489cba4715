"""What holds for every route alike: a caller is needed, other workspaces are not there, a step's token
reaches no further than its run, bad input is the caller's error and never ours."""

import itertools
import json
import uuid

import pytest
from django.db import transaction

from runs import run_tokens
from runs.models import Run
from tests import factories
from tests.api import known
from tests.api.conftest import Api
from tests.api.known import ID
from tests.api.walk import route_of, served

pytestmark = pytest.mark.django_db

P, H, M = "/pipelines/v1.0{W}", "/history/v1.0{W}", "/metric/v2.0{W}"
RUNS = [H, f"{H}/experiments/none", f"{H}/experimentids/{ID}"]  # three addresses of the same runs
X = "/execution/v1.0{W}/experiments/made"
F = "/mlflow/v2.0{W}/api/2.0/mlflow"
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
    f"{P}/AzureMLModules/Name?name=none",
    f"{P}/AzureMLModules/{ID}",
    f"{P}/AzureMLModuleVersions/{ID}",
    f"{P}/PipelineRuns/{ID}",
    f"{P}/PipelineRuns/Schedule/{ID}",
    f"{P}/PipelineRuns/Schedule/{ID}/Last",
    f"{P}/GraphDrafts/{ID}",
    f"{P}/PipelineDrafts/{ID}",
    *(
        f"{P}/PipelineDrafts/{what}/{ID}"
        for what in ("Clone", "ClonePublished", "ClonePipelineRun")
    ),
    f"{P}/Schedules",
    f"{P}/Schedules/{ID}",
    f"{P}/Schedules/Pipeline/{ID}",
    f"{P}/Schedules/PipelineEndpoint/{ID}",
    f"{P}/PipelineRuns/Pipeline/{ID}",
    f"{P}/PipelineRuns/{ID}/PipelineRunOutputs/out",
    f"{H}/experiments/none",
    f"{H}/experimentids/{ID}",
    f"{H}/computes/none/runs",
    *(
        f"{runs}/runs/{ID}{what}"
        for runs in RUNS
        for what in ("", "/details", "/children", "/token", "/metricsingest/wait")
    ),
    f"{A}/ExperimentRun/dcid.{ID}",
    f"{A}/contentinfo/ExperimentRun/dcid.{ID}/a.txt",
    f"{A}/prefix/contentinfo/ExperimentRun/dcid.{ID}/outputs",
    f"{A}/contentinfo/LocalUpload/none/a.txt",
    f"{A}/prefix/contentinfo/LocalUpload/none/a",
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
    "/subscriptions/{S}/resourceGroups/{G}",
    *(
        f"/subscriptions/{{S}}/providers/Microsoft.MachineLearningServices/locations/here/{what}"
        for what in ("vmSizes", "usages")
    ),
    "/environment/v1.0{W}/environments/none/versions/1/image",
    "/environment/v1.0{W}/environments/none/versions/1/build",
    "{W}/connections",
    "{W}/connections/none",
    "{W}/linkedServices",
    *(f"/modelmanagement/v1.0{{W}}/{what}" for what in ("services", "images")),
    f"{P}/DataSources/{ID}",
    f"{P}/DataSources/Hash/{ID}",
    "/environment/v1.0{W}/environments",
    "/environment/v1.0{W}/environments/none",
    "/environment/v1.0{W}/environments/none/versions/1",
    f"/environment/v1.0{{W}}/environments/none/versions/Autosave_{ID}",
    "/environment/v1.0{W}/environments/none/labels/latest",
    *(
        f"{H}/experiments/none/runs/{ID}/artifacts{what}"
        for what in ("", "/contentinfo?path=a.txt")
    ),
    f"{F}/experiments/get?experiment_id={ID}",
    f"{F}/experiments/get-by-name?experiment_name=none",
    f"{F}/runs/get?run_id={ID}",
    f"{F}/metrics/get-history?run_id={ID}&metric_key=m",
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
    ("POST", f"{P}/AzureMLModules", {"Name": "m", "Description": ""}),
    ("PUT", f"{P}/AzureMLModules/{ID}", {"Name": "m", "Versions": [{"ModuleVersionId": ID}]}),
    (
        "POST",
        f"{P}/AzureMLModuleVersions",
        {"AmlModuleId": ID, "Name": "m", "StructuredInterface": {}},
    ),
    ("PUT", f"{P}/AzureMLModuleVersions/{ID}", {"Data": {"EntityStatus": "Disabled"}}),
    ("POST", f"{P}/GraphDrafts", {"ModuleNodes": [], "Edges": [], "EntityInterface": {}}),
    ("PUT", f"{P}/GraphDrafts/{ID}", {"ModuleNodes": [], "Etag": "", "EntityInterface": {}}),
    ("DELETE", f"{P}/GraphDrafts/{ID}", {"Id": ID}),
    (
        "POST",
        f"{P}/PipelineDrafts/Create",
        {"Name": "d", "GraphDraftId": ID, "PipelineSubmissionInfo": {"ExperimentName": "x"}},
    ),
    ("POST", f"{P}/PipelineDrafts", {"tag": "value"}),
    (
        "PUT",
        f"{P}/PipelineDrafts/{ID}",
        {"Name": "d", "tags": {}, "PipelineSubmissionInfo": {"ExperimentName": "x"}},
    ),
    ("DELETE", f"{P}/PipelineDrafts/{ID}", {"Id": ID}),
    ("POST", f"{P}/Pipelines/PipelineDraftCreate", {"Id": ID}),
    ("POST", f"{P}/PipelineRuns/PipelineDraftSubmit", {"Id": ID}),
    (
        "POST",
        f"{X}/snapshotrun?runId=a",
        {"Configuration": {"script": "a.py", "target": "cpu-cluster"}, "SnapshotId": ID},
    ),
    ("POST", f"{X}/startrun?runId=a", {}),
    ("POST", f"{X}/localrun?runId=a", {}),
    ("POST", f"{X}/clean?all=False", {"RunId": ID}),
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
    ("POST", f"{P}/PipelineRuns/{ID}/Cancel", None),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/Node/StatusCode", ["n"]),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/Node/Status", ["n"]),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/AllNodes/Status", []),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/Shareable/STDOUT", ["n"]),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/Shareable/STDERR", ["n"]),
    ("POST", f"{P}/PipelineRuns/{ID}/Graph/Shareable/JobLog", ["n"]),
    ("POST", f"{P}/PipelineRuns/{ID}/Outputs", ["n"]),
    ("POST", f"{H}/experiments/made", {}),
    ("POST", f"{H}/experiments:query", {}),
    ("PATCH", f"{H}/experimentids/{ID}", {"tags": {"a": "b"}, "archive": True}),
    ("DELETE", f"{H}/experimentids/{ID}", None),
    ("POST", f"{H}/experimentids/{ID}/tags:delete", {"tags": ["a"]}),
    *(
        row
        for runs in RUNS
        for row in (
            ("POST", f"{runs}/runs:query", {"filter": "(ParentRunId eq null)"}),
            ("PATCH", f"{runs}/batch/runs", {"runs": [{"runId": ID, "tags": {"a": "b"}}]}),
            ("POST", f"{runs}/batch/events", {"events": [{"name": "x", "data": {"RunId": ID}}]}),
            ("PATCH", f"{runs}/runs/{ID}", {"tags": {"a": "b"}}),
            ("DELETE", f"{runs}/runs/{ID}/tags", ["a"]),
            ("POST", f"{runs}/runs/{ID}/events", {"name": "Microsoft.MachineLearning.Run.Start"}),
        )
    ),
    ("POST", f"{M}/runs/{ID}/batch", {"values": []}),
    ("POST", f"{H}/experiments/none/metrics:query", {"filter": f"RunId eq {ID}"}),
    ("POST", f"{M}/runs/{ID}/list", {}),
    ("POST", f"{M}/runs/{ID}/full", {"metricName": "m"}),
    ("POST", f"{A}/batch/metadata/ExperimentRun/dcid.{ID}", {"paths": [{"path": "a"}]}),
    ("POST", f"{A}/batch/metadata/LocalUpload/none", {"paths": [{"path": "a"}]}),
    (
        "POST",
        f"{H}/experiments/none/runs/{ID}/artifacts/batch/metadata",
        {"paths": [{"path": "a"}]},
    ),
    ("POST", f"{F}/experiments/create", {"name": "made", "tags": [{"key": "a", "value": "b"}]}),
    ("POST", f"{F}/experiments/search", {"filter": "name = 'a'", "order_by": ["name DESC"]}),
    ("POST", f"{F}/experiments/update", {"experiment_id": ID, "new_name": "other"}),
    ("POST", f"{F}/experiments/delete", {"experiment_id": ID}),
    ("POST", f"{F}/experiments/restore", {"experiment_id": ID}),
    (
        "POST",
        f"{F}/experiments/set-experiment-tag",
        {"experiment_id": ID, "key": "a", "value": "b"},
    ),
    ("POST", f"{F}/experiments/delete-experiment-tag", {"experiment_id": ID, "key": "a"}),
    (
        "POST",
        f"{F}/runs/create",
        {"experiment_id": ID, "run_name": "r", "tags": [{"key": "a", "value": "b"}]},
    ),
    ("POST", f"{F}/runs/update", {"run_id": ID, "status": "FINISHED", "run_name": "r"}),
    (
        "POST",
        f"{F}/runs/search",
        {
            "experiment_ids": [ID],
            "filter": "metrics.m > 0.5 and params.p = 'a'",
            "order_by": ["metrics.m DESC"],
            "max_results": 5,
            "page_token": "0",
            "run_view_type": "ALL",
        },
    ),
    ("POST", f"{F}/runs/delete", {"run_id": ID}),
    ("POST", f"{F}/runs/restore", {"run_id": ID}),
    (
        "POST",
        f"{F}/runs/log-metric",
        {"run_id": ID, "key": "m", "value": 0.5, "timestamp": 1, "step": 1},
    ),
    ("POST", f"{F}/runs/log-parameter", {"run_id": ID, "key": "p", "value": "a"}),
    ("POST", f"{F}/runs/set-tag", {"run_id": ID, "key": "a", "value": "b"}),
    ("POST", f"{F}/runs/delete-tag", {"run_id": ID, "key": "a"}),
    *(
        (
            "POST",
            batch,
            {
                "run_id": ID,
                "metrics": [{"key": "m", "value": 1, "timestamp": 1, "step": 0}],
                "params": [{"key": "p", "value": "a"}],
                "tags": [{"key": "a", "value": "b"}],
            },
        )
        for batch in (
            f"{F}/runs/log-batch",
            "/mlflow/v2.0{W}/api/2.0/preview/mlflow/runs/log-batch-async",
        )
    ),
    ("POST", f"{F}/logged-models/search", {"experiment_ids": [ID]}),
    ("POST", f"{D}/datasets", {"name": "d", "datasetType": "file", "latest": {"dataflow": "x"}}),
    ("PUT", f"{D}/datasets/{ID}", {"description": "d", "tags": {"a": "b"}}),
    ("DELETE", f"{D}/datasets/none", None),
    ("POST", f"{D}/saveddatasets", {"datasetType": "file", "dataflowJson": "x"}),
    ("POST", f"{C}/snapshots/getblob", {"FileNames": ["a.py"]}),
    ("POST", f"{C}/snapshots/{ID}", {"DirTreeNode": {}}),
    ("POST", f"{C}/snapshots/{ID}/zip", None),
    ("PUT", "/credential/v2.0{W}/secrets", {"name": "s", "value": "v"}),
    ("PUT", "/credential/v2.0{W}/secrets:putbatch", {"secrets": [{"name": "s", "value": "v"}]}),
    ("POST", "/credential/v2.0{W}/secrets:getbatch", {"secrets": [{"name": "s"}]}),
    ("POST", "/credential/v2.0{W}/secrets:deletebatch", {"secrets": [{"name": "none"}]}),
    ("DELETE", "/credential/v2.0{W}/secrets/none", None),
    ("PUT", "{W}/computes/made", {"properties": {"computeType": "AmlCompute"}}),
    ("PATCH", "{W}/computes/none", {"properties": {"properties": {"scaleSettings": {}}}}),
    ("DELETE", "{W}/computes/none", None),
    ("POST", "{W}/computes/none/listNodes", None),
    ("POST", "{W}/resynckeys", None),
    *((method, "{W}", {"properties": {}}) for method in ("PUT", "PATCH", "DELETE")),
    *(
        (method, address, {"name": "s"})
        for method in ("PUT", "POST")
        for address in (
            *("{W}/connections", "{W}/connections/none", "{W}/linkedServices"),
            "/modelmanagement/v1.0{W}/services",
        )
    ),
    ("DELETE", "{W}/connections/none", None),
    *(
        ("POST", f"/{service}/v1.0{{W}}/runs", {"name": "s"})
        for service in ("hyperdrive", "jasmine")
    ),
    ("POST", "/environment/v2.0{W}/environments/none/versions/1/image", None),
    ("POST", "/environment/v2.0{W}/environments/none/versions/1/imageoncompute/none", None),
    ("PUT", "/datastore/v1.0{W}/default/none", None),
    ("POST", "/datastore/v1.0{W}/datastores", {"name": "made", "dataStoreType": "AzureBlob"}),
    ("PUT", "/datastore/v1.0{W}/datastores/none", {"name": "none"}),
    ("DELETE", "/datastore/v1.0{W}/datastores/none", None),
    ("POST", f"{P}/DataSources", {"Name": "d", "DataStoreName": "none", "PathOnDataStore": "a"}),
    ("POST", f"/endpoints/{ID}/submit", {"ExperimentName": "x"}),
    *(
        ("PUT", f"/environment/v1.0{{W}}/environments/made{which}", {"Name": "made", "python": {}})
        for which in ("", "/versions/1", f"/versions/Autosave_{ID}", "/labels/latest")
    ),
    ("PUT", "/environment/v1.0{W}/environments/e/versions/1/metadata", {"Labels": ["a"]}),
    ("POST", "/modelmanagement/v1.0{W}/assets", {"name": "a", "artifacts": [{"prefix": "a/b/c"}]}),
    ("POST", "/modelmanagement/v1.0{W}/models", {"name": "m", "url": f"aml://asset/{ID}"}),
    ("PATCH", "/modelmanagement/v1.0{W}/models/none:1", [{"op": "add", "path": "/kvTags"}]),
    ("DELETE", "/modelmanagement/v1.0{W}/models/none:1", None),
]
ALL = [("GET", path, None) for path in GET] + WRITES
# A caller finds its own workspace in these lists, or nothing.
LISTS = [
    "/subscriptions",
    "/subscriptions/{S}/resources",
    "/subscriptions/{S}/resourceGroups/{G}/resources",
    "/subscriptions/{S}/providers/Microsoft.MachineLearningServices/workspaces",
    "/subscriptions/{S}/resourceGroups/{G}/providers/Microsoft.MachineLearningServices/workspaces",
]
# No caller: what a client asks before it has a token (test_arm, test_oauth), how the studio is
# (test_health), and blobs, whose addresses are signed (test_blobs).
OPEN = [
    ("GET", "/metadata/endpoints"),
    ("GET", "/discovery"),
    ("GET", "/adfs/x/.well-known/openid-configuration"),
    ("POST", "/adfs/oauth2/token"),
    ("POST", "/x/oauth2/token"),
    ("GET", "/msi"),
    ("POST", "/msi"),
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/artifacts"),
    ("GET", "/artifacts/a"),
    ("PUT", "/artifacts/a"),
]
WITH_BODY = [row for row in WRITES if row[2] is not None]


def names(rows):
    return [f"{method} {path}" for method, path, _ in rows]


def at(path, api):
    place = api.workspace
    return path.format(W=place.scope, S=place.subscription_id, G=place.resource_group)


def test_every_route_is_in_these_lists():
    scope = (
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    )
    calls = [(method, path.format(W=scope, S="s", G="g")) for method, path, _ in ALL]
    calls += [("GET", path.format(S="s", G="g")) for path in LISTS] + OPEN
    listed = {route_of(method, path) for method, path in calls}
    assert not served() - listed, "routes that these tests do not call"
    assert not listed - served(), "rows of the lists that no route answers"


@pytest.mark.door
@pytest.mark.parametrize(("method", "path", "body"), ALL, ids=names(ALL))
def test_without_a_token_it_is_401(anonymous, method, path, body):
    reply = anonymous.call(method, at(path, anonymous), body)
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    wrong = anonymous.call(method, at(path, anonymous), body, Authorization="Bearer studio_wrong")
    assert wrong.status == 401


@pytest.mark.door
@pytest.mark.parametrize(("method", "path", "body"), ALL, ids=names(ALL))
def test_from_another_workspace_it_is_404(elsewhere, method, path, body):
    assert elsewhere.call(method, at(path, elsewhere), body).status == 404


@pytest.mark.parametrize("path", LISTS)
def test_lists_of_workspaces_show_a_caller_its_own(api, elsewhere, anonymous, path):
    place = api.workspace
    address = path.format(S=place.subscription_id, G=place.resource_group)
    assert anonymous.get(address).status == 401
    assert place.scope not in str(elsewhere.get(address).body)
    assert place.subscription_id not in str(elsewhere.get(address).body)
    assert place.subscription_id in str(api.get(address).body)


@pytest.fixture
def in_step(api, actor, workspace):
    """A step of another run than the known one."""
    known.make(api, actor)
    run = factories.run(actor, experiment="own", pipeline=factories.pipeline(workspace))
    return Api(workspace, run_tokens.make(Run.objects.get(parent=run))[0])


# What a step may do to the workspace, wherever its run is: look at lists, register, keep code of its
# own, read secrets.
STEP_MAY = (
    *("experiments:query", "runs:query", "metrics:query"),
    *("/search", "secrets:getbatch", "/listNodes"),
    *("/snapshots/getblob", f"/snapshots/{ID}"),
    *("/saveddatasets", "/datasets", "/environments/", "/assets", "/models", "/LocalUpload/none"),
)


@pytest.mark.door
def test_a_steps_token_writes_no_further_than_its_run(in_step):
    """One test, as it takes long to have a row of every kind; each call finds them as they were."""
    let_in = {}
    for method, path, body in WRITES:
        with transaction.atomic():
            address = at(path, in_step).replace("/none", f"/{known.NAME}")
            let_in[method, path] = in_step.call(method, address, body).status
            transaction.set_rollback(True)
    may = {
        (method, path)
        for method, path in let_in
        if any(path.endswith(part) or (part.endswith("/") and part in path) for part in STEP_MAY)
    }
    assert not {
        route: status
        for route, status in let_in.items()
        if route not in may and status not in (400, 403, 404)
    }


@pytest.mark.parametrize(("method", "path", "body"), ALL, ids=names(ALL))
def test_unknown_ids_are_never_our_error(api, method, path, body):
    for address in (at(path, api), at(path, api).replace(ID, "no-uuid")):
        assert api.call(method, address, body).status in (200, 400, 404, 409)


@pytest.mark.door
@pytest.mark.parametrize(("method", "path", "body"), WITH_BODY, ids=names(WITH_BODY))
def test_malformed_json_is_400(api, method, path, body):
    for raw in (
        b"{",
        b"\xff\xfe",
        b'{"a": NaN',
        b"[" * 100_000,
        b'{"a": 1e999}',
        b"9" * 400,
        b'"\\u0000"',
    ):
        assert api.call(method, at(path, api), raw=raw).status in (400, 404)


WRONG = [None, True, 7, "text", [], {}, [7], {"a": [7]}, "\x00", "x" * 300]


@pytest.mark.parametrize(("method", "path", "body"), WITH_BODY, ids=names(WITH_BODY))
def test_wrong_types_are_400_and_never_our_error(api, method, path, body):
    for wrong in WRONG:
        assert api.call(method, at(path, api), wrong).status < 500
    if isinstance(body, dict):
        for key, wrong in itertools.product(body, WRONG):
            assert api.call(method, at(path, api), {**body, key: wrong}).status < 500


# Where the rest of the path is no name that may end with a slash.
SLASHED = [row for row in ALL if not any(part in row[1] for part in ("?", "prefix", "a.txt"))]


@pytest.mark.door
@pytest.mark.parametrize(("method", "path", "body"), SLASHED, ids=names(SLASHED))
def test_trailing_slash_is_optional_and_never_redirects(api, method, path, body):
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

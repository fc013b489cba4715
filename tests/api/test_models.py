"""Assets and registered models (wire.md 9.8)."""

import io

import pytest

from runs import run_tokens, services
from runs.models import Asset, RegisteredModel, Run
from runs.tracking import local_uploads
from studio.core.errors import Conflict
from studio.core.models import Role
from studio.storage.store import studio_store
from tests import factories
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def step(actor, workspace):
    run = factories.run(actor, experiment="exp", pipeline=factories.pipeline(workspace))
    step = Run.objects.get(parent=run)
    services.keep_artifact(actor, step, path="outputs/m/w.txt", stream=io.BytesIO(b"weights"))
    return step


@pytest.fixture
def url(workspace):
    return f"/modelmanagement/v1.0{workspace.scope}"


def asset_of(api, url, run, path="outputs/m"):
    prefix = f"ExperimentRun/{run.data_container_id}/{path}"
    return api.post(f"{url}/assets", {"name": "m", "artifacts": [{"prefix": prefix}]})


def register(api, service, run, **more):
    asset = asset_of(api, service, run).body
    body = {"name": "m", "url": f"aml://asset/{asset['id']}", "runId": str(run.uuid), **more}
    return api.post(f"{service}/models", body)


def test_versions(api, url, step):
    first = register(api, url, step, kvTags={"a": "b"}).body
    assert (first["id"], first["version"], first["experimentName"]) == ("m:1", 1, "exp")
    assert register(api, url, step, kvTags={"a": "c"}).body["id"] == "m:2"
    assert api.get(f"{url}/models/m:1").body == first
    assert api.get(f"{url}/models/m").body["version"] == 2
    assert api.get(f"{url}/models/m:x").status == 404
    asset = api.get(f"{url}/assets/{first['url'].rpartition('/')[2]}").body
    assert asset["artifacts"] == [{"prefix": f"ExperimentRun/{step.data_container_id}/outputs/m"}]
    assert asset["runid"] == str(step.uuid)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [2, 1]),
        ("?name=m", [2, 1]),
        ("?name=n", []),
        ("?name=m&count=1", [2]),
        ("?latestVersionOnly=true", [2]),
        ("?tags=a=b", [1]),
        ("?tags=a,x", []),
        ("?properties=p", []),
        ("?framework=Custom", []),
    ],
)
def test_lists(api, url, step, query, found):
    register(api, url, step, kvTags={"a": "b"})
    register(api, url, step, kvTags={"a": "c"})
    reply = api.get(f"{url}/models{query}")
    assert [row["version"] for row in reply.body["value"]] == found


def test_those_of_a_dataset(api, url, step):
    register(api, url, step, datasets=[{"name": "training", "id": "one"}])
    register(api, url, step, datasets=[{"name": "one", "id": "other-one"}, {"id": "two"}])
    register(api, url, step)
    for dataset, found in (("one", [1]), ("two", [2]), ("on", []), ("%", [])):
        rows = api.get(f"{url}/models?datasetId={dataset}").body["value"]
        assert [row["version"] for row in rows] == found


def test_pages(api, url, step):
    for _ in range(3):
        register(api, url, step)
    page = api.get(f"{url}/models?count=2").body
    assert [row["version"] for row in page["value"]] == [3, 2]
    rest = api.get(f"{url}/models?count=2&$skipToken={page['continuationToken']}").body
    assert [row["version"] for row in rest["value"]] == [1]
    assert rest["continuationToken"] is None


def test_changes(api, url, step):
    register(api, url, step, kvTags={"a": "b"}, properties={"p": "1"})
    changes = [
        {"op": "replace", "path": "/kvTags", "value": {"c": "d"}},
        {"op": "add", "path": "/properties", "value": {"q": "2"}},
        {"op": "replace", "path": "/description", "value": "text"},
    ]
    changed = api.patch(f"{url}/models/m:1", changes).body
    assert (changed["kvTags"], changed["description"]) == ({"c": "d"}, "text")
    assert changed["properties"] == {"p": "1", "q": "2"}
    assert api.patch(f"{url}/models/m:1", [{"path": "/name", "value": "x"}]).status == 400
    assert api.patch(f"{url}/models/m:1", {}).status == 400
    assert api.delete(f"{url}/models/m:1").status == 200
    assert api.get(f"{url}/models/m:1").status == 404


@pytest.mark.parametrize(
    "artifacts",
    [[], [{}], [{"prefix": "LocalUpload/x/y"}], [{"prefix": "ExperimentRun/dcid.x"}], [3], "x"],
)
def test_assets_of_nothing(api, url, artifacts):
    assert api.post(f"{url}/assets", {"name": "m", "artifacts": artifacts}).status == 400


def test_an_asset_needs_files(api, url, step):
    assert asset_of(api, url, step, path="outputs/none").status == 400
    assert asset_of(api, url, step, path="outputs/m/w").status == 400  # no file, only its start


@pytest.mark.parametrize("change", [{"name": "a/b"}, {"name": ""}, {"url": "none"}, {"kvTags": 3}])
def test_bad_models(api, url, step, change):
    assert register(api, url, step, **change).status in (400, 404)
    assert not RegisteredModel.objects.exists()


def test_a_step_registers_its_own_and_reads_those_of_others(api, url, actor, workspace, step):
    other = factories.run(actor, experiment="exp", pipeline=factories.pipeline(workspace))
    other_step = Run.objects.get(parent=other)
    services.keep_artifact(actor, other_step, path="a.txt", stream=io.BytesIO(b"secret"))
    in_step = Api(workspace, run_tokens.make(other_step)[0])
    content = f"/artifact/v2.0{workspace.scope}/artifacts/contentinfo"
    inside = f"{content}/ExperimentRun/{step.data_container_id}/outputs/m/w.txt"
    assert in_step.get(inside).status == 404
    assert asset_of(in_step, url, step).status == 404
    register(api, url, step)
    assert in_step.get(f"{url}/models/m:1").status == 200
    reply = in_step.get(inside)
    assert reply.status == 200
    address = reply.body["contentUri"].partition("testserver")[2]
    assert Api(workspace).get(address).raw == b"weights"
    beside = f"{content}/ExperimentRun/{step.data_container_id}/outputs/other.txt"
    assert in_step.get(beside).status == 404
    assert asset_of(in_step, url, other_step, path="a.txt").status == 200


def test_what_is_beside_a_model_is_not_read_with_it(api, url, actor, workspace, step):
    services.keep_artifact(actor, step, path="outputs/m2/w.txt", stream=io.BytesIO(b"secret"))
    register(api, url, step)
    other = factories.run(actor, experiment="exp", pipeline=factories.pipeline(workspace))
    in_step = Api(workspace, run_tokens.make(Run.objects.get(parent=other))[0])
    prefix = f"/artifact/v2.0{workspace.scope}/artifacts/prefix/contentinfo"
    inside = f"{prefix}/ExperimentRun/{step.data_container_id}/outputs/m"
    for address in (inside, f"{inside}/"):
        found = in_step.get(address).body["value"]
        assert [row["path"] for row in found] == ["outputs/m/w.txt"]


def test_a_token_of_another_endpoint_reads_no_file_of_a_model(api, url, actor, workspace):
    ours, theirs = factories.endpoint(workspace), factories.endpoint(workspace)
    run = factories.run(actor, experiment="exp", endpoint=theirs)
    step = Run.objects.get(parent=run)
    services.keep_artifact(actor, step, path="outputs/m/w.txt", stream=io.BytesIO(b"weights"))
    model = register(api, url, step).body
    asset = model["url"].rpartition("/")[2]
    container = f"ExperimentRun/{step.data_container_id}"
    artifacts = f"/artifact/v2.0{workspace.scope}/artifacts"
    history = f"{api.H}/experiments/exp/runs/{step.uuid}"
    files = (
        f"{artifacts}/contentinfo/{container}/outputs/m/w.txt",
        f"{artifacts}/prefix/contentinfo/{container}/outputs/m",
        f"{artifacts}/{container}",
        f"{history}/artifacts",
        f"{history}/artifacts/contentinfo?path=outputs/m/w.txt",
        f"{history}/details",
    )
    beyond = (f"{url}/models", f"{url}/models/m:1", f"{url}/assets", f"{url}/assets/{asset}")
    foreign = Api(workspace, factories.token(actor, endpoint_uuid=ours.uuid))
    own = Api(workspace, factories.token(actor, endpoint_uuid=theirs.uuid))
    assert [foreign.get(file).status for file in files] == [404] * len(files)
    assert [own.get(file).status for file in files] == [200] * len(files)
    for caller in (foreign, own):
        assert [caller.get(address).status for address in beyond] == [403] * len(beyond)


def test_readers_register_nothing(api_as, url, step):
    assert asset_of(api_as(Role.READER), url, step).status == 403
    assert api_as(Role.READER).get(f"{url}/models").status == 200


def test_a_step_changes_only_models_of_its_own_run(api, url, step, workspace, actor):
    register(api, url, step)
    other = factories.run(actor, experiment="other", pipeline=factories.pipeline(workspace))
    for run, status in ((Run.objects.get(parent=other), 403), (step, 200)):
        in_step = Api(workspace, run_tokens.make(run)[0])
        change = [{"op": "replace", "path": "/description", "value": "changed"}]
        assert in_step.patch(f"{url}/models/m:1", change).status == status
        assert in_step.delete(f"{url}/models/m:1").status == status
    assert not RegisteredModel.objects.exists()


# --- models that no run made ------------------------------------------------------------------------
@pytest.fixture
def uploads(workspace):
    return f"/artifact/v2.0{workspace.scope}/artifacts"


def upload_address(api, uploads, path="m/w.txt", container="261122T120000-ab12cd34"):
    body = {"paths": [{"path": path}]}
    reply = api.post(f"{uploads}/batch/metadata/LocalUpload/{container}", body)
    assert reply.status == 200, reply.body
    uri = reply.body["artifactContentInformation"][path]["contentUri"]
    return "/uploaded/" + uri.partition("/uploaded/")[2]


def local_asset(api, url, path="m", container="261122T120000-ab12cd34"):
    prefix = f"LocalUpload/{container}/{path}"
    return api.post(f"{url}/assets", {"name": "m", "artifacts": [{"prefix": prefix}]})


def register_local(api, url):
    asset = local_asset(api, url).body
    return api.post(f"{url}/models", {"name": "m", "url": f"aml://asset/{asset['id']}"})


BYTES = {"content_type": "application/octet-stream"}


def test_a_model_of_uploads(api, anonymous, url, uploads):
    address = upload_address(api, uploads)
    assert anonymous.put(address, raw=b"weights", **BYTES).status == 201
    assert anonymous.call("HEAD", address).headers["Content-Length"] == "7"
    model = register_local(api, url).body
    assert (model["id"], model["runId"]) == ("m:1", None)
    [found] = api.get(f"{uploads}/prefix/contentinfo/LocalUpload/261122T120000-ab12cd34/m").body[
        "value"
    ]
    assert found["path"] == "m/w.txt"
    download = "/uploaded/" + found["contentUri"].partition("/uploaded/")[2]
    assert anonymous.get(download).raw == b"weights"
    one = api.get(f"{uploads}/contentinfo/LocalUpload/261122T120000-ab12cd34/m/w.txt")
    assert one.body["path"] == "m/w.txt"
    # From here on its files stay as they are, also for who holds an address still
    assert anonymous.put(address, raw=b"others", **BYTES).status == 409
    body = {"paths": [{"path": "m/more.txt"}]}
    again = api.post(f"{uploads}/batch/metadata/LocalUpload/261122T120000-ab12cd34", body)
    assert again.status == 409
    assert anonymous.get(download).raw == b"weights"


def test_an_upload_that_ends_after_its_model_was_made_changes_nothing(actor):
    def upload(stream):
        services.keep_upload(actor, container="abc", path="m.txt", stream=stream)

    class Slow(io.BytesIO):
        def read(self, size=-1):
            if not Asset.objects.exists():
                services.create_asset(actor, name="m", paths=["m.txt"], container="abc")
            return super().read(size)

    upload(io.BytesIO(b"weights"))
    with pytest.raises(Conflict, match="belong to a model already"):
        upload(Slow(b"others"))
    blob = local_uploads.blob_of(actor.workspace, "abc", "m.txt")
    assert b"".join(studio_store().stream(blob)) == b"weights"


def test_uploads_of_another_workspace_are_not_there(api, anonymous, url, uploads):
    assert anonymous.put(upload_address(api, uploads), raw=b"weights", **BYTES).status == 201
    other = factories.workspace("other")
    stranger = Api(other, factories.token(factories.actor(other)))
    theirs = f"/artifact/v2.0{other.scope}/artifacts"
    path = "contentinfo/LocalUpload/261122T120000-ab12cd34/m/w.txt"
    assert api.get(f"{uploads}/{path}").status == 200
    assert stranger.get(f"{theirs}/{path}").status == 404
    assert local_asset(stranger, f"/modelmanagement/v1.0{other.scope}").status == 400


@pytest.mark.parametrize("container", ["a%20b", "..", ".a", "a" * 101])
def test_bad_containers(api, uploads, url, container):
    body = {"paths": [{"path": "a"}]}
    reply = api.post(f"{uploads}/batch/metadata/LocalUpload/{container}", body)
    assert reply.status == 400
    assert local_asset(api, url, container=container).status == 400
    assert api.get(f"{uploads}/contentinfo/LocalUpload/{container}/a").status == 404


@pytest.mark.parametrize("paths", [[{"path": "../a"}], [{"path": "/a"}], [{}], [3], "x"])
def test_bad_paths_of_uploads(api, uploads, paths):
    reply = api.post(f"{uploads}/batch/metadata/LocalUpload/c", {"paths": paths})
    assert reply.status == 400


def test_who_may_upload(api, api_as, anonymous, url, uploads, step, workspace):
    body = {"paths": [{"path": "m/w.txt"}]}
    batch = f"{uploads}/batch/metadata/LocalUpload/261122T120000-ab12cd34"
    assert api_as(Role.OPERATOR).post(batch, body).status == 403
    in_step = Api(workspace, run_tokens.make(step)[0])
    assert anonymous.put(upload_address(in_step, uploads), raw=b"w", **BYTES).status == 201
    read = f"{uploads}/contentinfo/LocalUpload/261122T120000-ab12cd34/m/w.txt"
    assert in_step.get(read).status == 404  # nothing is registered yet
    assert register_local(in_step, url).status == 200
    assert in_step.get(read).status == 200

"""What callers write of runs: an Operator what he drives himself, a Publisher all; nobody what became a
registered model. An address to write to asks again for whoever it was made for."""

import io
import uuid
from urllib.parse import urlsplit

import pytest

from endpoints.models import Datastore
from runs import run_tokens, services
from runs.models import Artifact, Run
from runs.states import Status
from studio.core import tokens
from studio.core.errors import Conflict
from studio.core.models import AuditEvent, Role, RoleGrant
from studio.storage.store import studio_store
from tests import factories
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db
BLOB = {"content_type": "application/octet-stream"}
METRICS = {"values": [{"name": "m", "columns": {"m": "double"}, "value": [{"data": {"m": 1}}]}]}
EVENT = {"name": "Microsoft.MachineLearning.Run.Completed"}
ERROR = {"name": "Run.Error", "data": {"ErrorResponse": {"error": {"message": "mine"}}}}


class Person(Api):
    """A caller whose role may change."""

    def __init__(self, workspace, role):
        self.actor = factories.actor(workspace, role)
        super().__init__(workspace, factories.token(self.actor))
        scope = workspace.scope
        self.artifacts = f"/artifact/v2.0{scope}/artifacts"
        self.mlflow = f"/mlflow/v2.0{scope}/api/2.0/mlflow"
        self.metric = f"/metric/v2.0{scope}/runs"

    def becomes(self, role):
        RoleGrant.objects.filter(user=self.actor.user).update(role=role)

    def begin(self, **more) -> Run:
        """A run of one's own, as `start_logging()` makes one."""
        services.make_experiment(self.actor, name="own")
        run = uuid.uuid4()
        reply = self.patch(f"{self.H}/experiments/own/runs/{run}", {"status": "Running", **more})
        assert reply.status == 200, reply.body
        return Run.objects.get(uuid=run)

    def address(self, run, path="outputs/a.txt"):
        url = f"{self.artifacts}/batch/metadata/ExperimentRun/dcid.{run.uuid}"
        return self.post(url, {"paths": [{"path": path}]})

    def link(self, run, path="outputs/a.txt"):
        reply = self.address(run, path)
        assert reply.status == 200, reply.body
        return path_of(reply.body["artifactContentInformation"][path]["contentUri"])

    def sas(self):
        found = self.get(f"/datastore/v1.0{self.workspace.scope}/default").body
        section = found["azureStorageSection"]
        return f"/{section['containerName']}/in/a.csv{section['sasToken']}"


def path_of(address):
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


@pytest.fixture
def operator(workspace):
    return Person(workspace, Role.OPERATOR)


@pytest.fixture
def publisher(workspace):
    return Person(workspace, Role.PUBLISHER)


@pytest.fixture
def executed(actor, workspace):
    return factories.run(actor, experiment="exp", pipeline=factories.pipeline(workspace))


def writes(who: Person, run: Run):
    """`(what is written, its status)` of all that a run says of itself."""
    address = f"{who.H}/runs/{run.uuid}"
    of_mlflow = {"run_id": str(run.uuid)}
    yield "metrics", who.post(f"{who.metric}/{run.uuid}/batch", METRICS).status
    yield "artifacts", who.address(run).status
    yield "properties", who.patch(address, {"properties": {"a": "b"}}).status
    yield "error", who.post(f"{address}/events", ERROR).status
    logged = {**of_mlflow, "metrics": [{"key": "m", "value": 1, "timestamp": 1}]}
    yield "mlflow metrics", who.post(f"{who.mlflow}/runs/log-batch", logged).status
    param = {**of_mlflow, "key": "lr", "value": "1"}
    yield "mlflow params", who.post(f"{who.mlflow}/runs/log-parameter", param).status
    child = f"{who.H}/experiments/{run.experiment.name}/runs/{uuid.uuid4()}"
    yield "child", who.patch(child, {"parentRunId": str(run.uuid)}).status
    event = {"RunId": str(run.uuid)}
    batch = {"events": [{**EVENT, "data": event}]}
    yield "events at once", who.post(f"{who.H}/batch/events", batch).status
    ended = {**of_mlflow, "status": "FINISHED"}
    yield "mlflow status", who.post(f"{who.mlflow}/runs/update", ended).status
    yield "status", who.patch(address, {"status": "Completed"}).status


def labels(who, run):
    address = f"{who.H}/runs/{run.uuid}"
    tag = {"run_id": str(run.uuid), "key": "a", "value": "b"}
    yield who.patch(address, {"tags": {"t": "v"}, "displayName": "n", "description": "d"}).status
    yield who.delete(f"{address}/tags", ["t"]).status
    yield who.post(f"{who.mlflow}/runs/set-tag", tag).status
    yield who.post(f"{who.mlflow}/runs/update", {"run_id": tag["run_id"], "run_name": "x"}).status


def test_an_operator_writes_runs_of_his_own(operator):
    assert {status for _, status in writes(operator, operator.begin())} == {200}


def test_of_what_the_studio_executes_he_changes_tags_name_and_description(operator, executed):
    said = dict(writes(operator, executed))
    assert set(said.values()) == {403}, said
    reply = operator.post(f"{operator.metric}/{executed.uuid}/batch", METRICS)
    assert "needs the role Publisher" in reply.body["error"]["message"]
    assert set(labels(operator, executed)) == {200}
    executed.refresh_from_db()
    assert (executed.display_name, executed.properties.get("a")) == ("x", None)
    assert set(dict(writes(operator, executed.children.get())).values()) == {403}


def test_nor_does_he_write_runs_that_others_drive(operator, workspace):
    other = Person(workspace, Role.OPERATOR).begin()
    assert set(dict(writes(operator, other)).values()) == {403}
    assert set(labels(operator, other)) == {200}


def test_he_cancels_all_the_same(operator, executed):
    reply = operator.patch(f"{operator.H}/runs/{executed.uuid}", {"status": "Canceled"})
    assert reply.status == 200
    executed.refresh_from_db()
    assert executed.status == Status.CANCELED


def test_a_publisher_writes_whatever_code_of_his_could(publisher, operator, executed):
    for run in (operator.begin(), executed):
        assert {status for _, status in writes(publisher, run)} == {200}


# --- addresses to write to ---------------------------------------------------------------------------
WRITES = {
    "blob": "",
    "block": "&comp=block&blockid=YQ==",
    "append": "&comp=appendblock",
}


def put(anonymous, link, kind="blob", raw=b"new"):
    return anonymous.put(f"{link}{WRITES[kind]}", raw=raw, **BLOB).status


@pytest.mark.parametrize("kind", WRITES)
def test_a_link_to_an_artifact_dies_with_the_role(anonymous, operator, kind):
    run = operator.begin()
    link = operator.link(run)
    assert put(anonymous, link, raw=b"old") == 201
    operator.becomes(Role.READER)
    assert put(anonymous, link, kind) == 403
    assert put(anonymous, f"{link}&comp=blocklist", raw=b"<BlockList/>") == 403
    assert studio_store().open(Artifact.objects.get().blob).read() == b"old"
    assert anonymous.get(link).raw == b"old"  # which Readers do
    operator.becomes(Role.OPERATOR)
    assert put(anonymous, link, kind) == 201


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("role", [Role.READER, Role.OPERATOR])
def test_a_link_to_a_datastore_dies_with_the_role(anonymous, publisher, kind, role):
    link = publisher.sas()
    assert put(anonymous, link, raw=b"old") == 201
    publisher.becomes(role)
    assert put(anonymous, link, kind) == 403
    assert put(anonymous, f"{link}&comp=blocklist", raw=b"<BlockList/>") == 403
    assert anonymous.get(link).raw == b"old"


@pytest.mark.parametrize("role", [Role.READER, Role.OPERATOR])
def test_below_publisher_links_to_datastores_read(workspace, anonymous, publisher, role):
    put(anonymous, publisher.sas(), raw=b"there")
    link = Person(workspace, role).sas()
    assert "sp=rl&" in link
    assert anonymous.get(link).raw == b"there"
    assert put(anonymous, link) == 403


def test_other_links_to_write_die_with_the_role(workspace, anonymous, operator, publisher):
    content = f"/content/v2.0{workspace.scope}/snapshots"
    sent = operator.post(f"{content}/getblob", {"FileNames": ["a.py"]}).body
    snapshot = path_of(sent["fileNodes"][0]["blobUri"])
    batch = f"{publisher.artifacts}/batch/metadata/LocalUpload/mine"
    sent = publisher.post(batch, {"paths": [{"path": "m/a.pkl"}]}).body
    model = path_of(sent["artifactContentInformation"]["m/a.pkl"]["contentUri"])
    assert [put(anonymous, link) for link in (snapshot, model)] == [201, 201]
    operator.becomes(Role.READER)
    publisher.becomes(Role.OPERATOR)
    assert [put(anonymous, link) for link in (snapshot, model)] == [403, 403]


def test_a_steps_link_writes_to_the_workspaces_own_store_only(workspace, anonymous, executed):
    step = executed.children.get()
    in_step = Person(workspace, Role.READER)
    in_step.token = run_tokens.make(step)[0]
    link = in_step.sas()
    assert put(anonymous, link) == 201
    Datastore.objects.update(url="file:///elsewhere")
    assert put(anonymous, link) == 403
    Datastore.objects.update(url="")
    Run.objects.filter(pk=step.pk).update(attempt=step.attempt + 1)
    assert put(anonymous, link) == 403


def test_a_revoked_token_writes_nothing(anonymous, publisher):
    link = publisher.sas()
    tokens.revoke(publisher.actor, publisher.actor.user.tokens.get())
    assert put(anonymous, link) == 403


# --- registered models -------------------------------------------------------------------------------
def register(who, run, path="outputs/model.pkl", name="m"):
    service = f"/modelmanagement/v1.0{who.workspace.scope}"
    prefix = f"ExperimentRun/{run.data_container_id}/{path}"
    asset = who.post(f"{service}/assets", {"name": name, "artifacts": [{"prefix": prefix}]})
    body = {"name": name, "url": f"aml://asset/{asset.body['id']}", "runId": str(run.uuid)}
    assert who.post(f"{service}/models", body).status == 200


@pytest.mark.parametrize("kind", WRITES)
def test_a_registered_models_file_never_changes(anonymous, publisher, kind):
    run, path = publisher.begin(), "outputs/model.pkl"
    link, beside = publisher.link(run, path), publisher.link(run, "outputs/model.pkl.txt")
    assert put(anonymous, link, raw=b"weights") == 201
    register(publisher, run)
    assert put(anonymous, link, kind) == 409
    assert put(anonymous, f"{link}&comp=blocklist", raw=b"<BlockList/>") == 409
    refused = publisher.address(run, path)
    assert refused.status == 409
    assert "belongs to the registered model m:1" in refused.body["error"]["message"]
    assert anonymous.get(link).raw == b"weights"
    assert put(anonymous, beside) == 201
    row = AuditEvent.objects.get(verb="write refused")
    assert (row.actor, row.object_uuid, row.status) == (publisher.actor.name, run.uuid, 409)
    assert row.count == 2


def test_a_folder_that_is_a_model_gets_no_further_file(anonymous, publisher):
    """What MLflow's `log_model` writes is a folder."""
    run = publisher.begin()
    put(anonymous, publisher.link(run, "model/MLmodel"))
    link = publisher.link(run, "model/python_env.yaml")
    register(publisher, run, path="model")
    assert put(anonymous, link) == 409
    assert publisher.address(run, "model/conda.yaml").status == 409


def test_a_model_registered_while_its_file_is_on_the_way_keeps_the_old_one(publisher):
    run, path = publisher.begin(), "outputs/model.pkl"
    services.keep_artifact(publisher.actor, run, path=path, stream=io.BytesIO(b"weights"))

    class Slow(io.BytesIO):
        def read(self, *size):
            if not Artifact.objects.filter(run__registered_models__isnull=False).exists():
                register(publisher, run)
            return super().read(*size)

    with pytest.raises(Conflict, match="registered model m:1"):
        services.keep_artifact(publisher.actor, run, path=path, stream=Slow(b"new"))
    assert studio_store().open(Artifact.objects.get(path=path).blob).read() == b"weights"

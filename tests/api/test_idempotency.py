"""`Idempotency-Key`: the same request with the same key is one run, at every address that makes one."""

import itertools
from threading import Barrier, Thread

import pytest
from django.db import connection
from drf_spectacular.generators import SchemaGenerator

from endpoints import services as definitions
from endpoints.models import Graph, Snapshot
from runs import services
from runs.models import Kind, Run
from runs.states import Status
from runs.submission import Key
from studio.core.models import Role
from tests import factories
from tests.api.conftest import Api
from tests.runs.conftest import database_of_threads, file_database  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
LR = {"Name": "lr", "DefaultValue": "0.1", "IsOptional": True, "Type": "1"}
BODY = {"ExperimentName": "keys", "ParameterAssignments": {"lr": "0.5"}}
KEY = "of the caller"


class Doors:
    """Each door as `(address, a body, another body)`."""

    def __init__(self, api, actor):
        place = actor.workspace
        self.pipeline = factories.pipeline(place, parameters=[LR])
        second = factories.pipeline(place, parameters=[LR])
        self.endpoint = factories.endpoint(place, "keys", pipelines=[self.pipeline, second])
        files = {"a.py": {"sha256": "0" * 64, "size": 1, "mode": 0o644}}
        snapshot = Snapshot.objects.create(workspace=place, files=files, content_hash="0" * 64)
        wire, interface = self.pipeline.graph.wire, self.pipeline.graph.interface
        posted = api.post(f"{api.P}/GraphDrafts", wire | {"EntityInterface": interface}).body
        draft = api.post(
            f"{api.P}/PipelineDrafts/Create",
            {
                "Name": "d",
                "GraphDraftId": posted["Id"],
                "PipelineSubmissionInfo": {"ExperimentName": "keys"},
            },
        ).body
        runs, other = f"{api.P}/PipelineRuns", BODY | {"ParameterAssignments": {"lr": "0.6"}}
        graph = {"CreationInfo": BODY, "Graph": wire, "GraphInterface": interface}
        script = {
            "SnapshotId": str(snapshot.uuid),
            "Configuration": {"script": "a.py", "target": "cpu-cluster"},
        }
        changed = script["Configuration"] | {"arguments": ["b"]}
        scope = f"/execution/v1.0{place.scope}"
        self.calls = {
            "pipeline": (f"{runs}/PipelineSubmit/{self.pipeline.uuid}", BODY, other),
            "id": (f"{runs}/PipelineEndpointSubmit/Id/{self.endpoint.uuid}", BODY, other),
            "name": (f"{runs}/PipelineEndpointSubmit/Name?name=keys", BODY, other),
            "alias": (f"/endpoints/{self.endpoint.uuid}/submit", BODY, other),
            "alias by name": ("/endpoints/keys/submit", BODY, other),
            "graph": (
                f"{runs}/Unsubmitted/CreationInfoWithGraph?experimentName=keys",
                graph,
                graph | {"CreationInfo": other},
            ),
            "draft": (f"{runs}/PipelineDraftSubmit", draft, draft | {"Name": "e"}),
            "script": (
                f"{scope}/experiments/keys/snapshotrun?runId=one",
                script,
                script | {"Configuration": changed},
            ),
        }


DOORS = ("pipeline", "id", "name", "alias", "alias by name", "graph", "draft", "script")


@pytest.fixture
def doors(api, actor):
    return Doors(api, actor)


def send(api, path, body, key=KEY):
    return api.post(path, body, **{"Idempotency-Key": key})


def id_of(reply):
    assert reply.status == 200, reply.body
    return reply.body.get("Id") or reply.body["runId"]


def made():
    return Run.objects.exclude(kind=Kind.STEP).count()


@pytest.mark.parametrize("door", DOORS)
def test_the_same_request_again_gets_the_run_as_it_is_now(api, doors, door):
    path, body, other = doors.calls[door]
    first = send(api, path, body)
    assert "Idempotent-Replayed" not in first.headers
    graphs = Graph.objects.count()
    Run.objects.filter(uuid=id_of(first)).update(display_name="renamed meanwhile")
    again = send(api, path, body)
    assert id_of(again) == id_of(first)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert door == "script" or again.body["DisplayName"] == "renamed meanwhile"
    assert made() == 1

    refused = send(api, path, other)
    assert refused.status == 422
    assert refused.body["error"]["code"] == "IdempotencyKeyReused"
    assert KEY in refused.body["error"]["message"]
    assert made() == 1
    assert Graph.objects.count() == graphs

    assert id_of(send(api, path, other, key="another")) != id_of(first)
    assert made() == 2


@pytest.mark.parametrize("door", DOORS)
def test_it_is_its_callers(api, api_as, doors, door):
    path, body, _ = doors.calls[door]
    first = id_of(send(api, path, body))
    reader = send(api_as(Role.READER), path, body)
    assert (reader.status, made()) == (403, 1)
    assert first not in reader.raw.decode()
    publisher = send(api_as(Role.PUBLISHER), path, body)
    assert id_of(publisher) != first
    assert "Idempotent-Replayed" not in publisher.headers


def test_it_is_its_tokens_as_long_as_that_lives(actor, doors, workspace):
    path, body, _ = doors.calls["id"]
    bound = {"endpoint_uuid": doors.endpoint.uuid}
    one, two = (Api(workspace, factories.token(actor, **bound)) for _ in range(2))
    assert id_of(send(one, path, body)) == id_of(send(one, path, body))
    assert id_of(send(two, path, body)) != id_of(send(one, path, body))
    elsewhere = factories.endpoint(workspace)
    stranger = Api(workspace, factories.token(actor, endpoint_uuid=elsewhere.uuid))
    assert send(stranger, path, body).status == 404


def test_it_is_its_targets(api, doors):
    """An endpoint is one target by whatever address; a version is part of the request."""
    ids = {id_of(send(api, *doors.calls[door][:2])) for door in ("id", "name", "alias")}
    assert len(ids) == 1
    assert id_of(send(api, *doors.calls["pipeline"][:2])) not in ids
    path = doors.calls["id"][0]
    assert send(api, f"{path}/1", BODY).status == 422
    one = send(api, f"{path}/1", BODY, key="one")
    two = send(api, f"{path}?pipelineVersion=1", BODY, key="one")
    assert id_of(one) == id_of(two)
    assert send(api, f"{path}/1?parentRunId={id_of(one)}", BODY, key="one").status == 422


def test_how_the_json_is_laid_out_does_not_matter_but_its_numbers_do(api, doors):
    path = doors.calls["id"][0]

    def raw(text):
        return api.call("POST", path, raw=text.encode(), **{"Idempotency-Key": KEY})

    first = raw('{"ExperimentName": "keys", "ParameterAssignments": {"lr": 0.10}}')
    again = raw('{"ParameterAssignments":{"lr":0.10},"ExperimentName":"keys"}')
    assert id_of(first) == id_of(again)
    assert raw('{"ExperimentName": "keys", "ParameterAssignments": {"lr": 0.1}}').status == 422


def test_a_refused_call_uses_none_up(api, actor, doors):
    path = doors.calls["id"][0]
    assert send(api, path, BODY | {"ParameterAssignments": {"lr": "fast"}}).status == 400
    definitions.disable(actor, doors.endpoint)
    assert send(api, path, BODY).status == 400
    definitions.enable(actor, doors.endpoint)
    first = send(api, path, BODY)
    assert "Idempotent-Replayed" not in first.headers
    definitions.disable(actor, doors.endpoint)
    assert id_of(send(api, path, BODY)) == id_of(first)


def test_what_ended_is_not_run_again(api, doors, actor):
    path = doors.calls["id"][0]
    run = Run.objects.get(uuid=id_of(send(api, path, BODY)))
    services.cancel(actor, run)
    again = send(api, path, BODY)
    assert again.body["Status"]["StatusCode"] == Status.CANCELED
    assert made() == 1


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_keys_that_are_none(api, doors, key):
    reply = send(api, *doors.calls["id"][:2], key=key)
    assert reply.status == 400
    assert "Idempotency-Key has 1 to 255 characters" in reply.body["error"]["message"]
    assert made() == 0


def test_what_a_caller_sends_meets_no_key_of_ours(api, doors, actor):
    """A page's key and a script's name of its run are kept in the same column."""
    path, body, _ = doors.calls["script"]
    own = id_of(api.post(path, body))
    kept = Run.objects.get(uuid=own).idempotency_key
    for key in ("one", kept, kept.partition(":")[2]):
        assert id_of(send(api, path, body, key=key)) != own
    assert id_of(api.post(path, body)) == own
    key = Key("form", str(doors.endpoint.uuid), KEY)
    form = factories.run(actor, experiment="keys", endpoint=doors.endpoint, key=key)
    assert id_of(send(api, *doors.calls["id"][:2])) != str(form.uuid)


class TestPublic:
    @pytest.fixture
    def path(self, doors, settings):
        settings.STUDIO_PUBLIC_CALLS_PER_MINUTE = 1
        type(doors.endpoint).objects.update(is_public=True)
        return doors.calls["alias"][0]

    def test_a_replay_is_no_further_call_of_the_limit(self, path, anonymous):
        first = send(anonymous, path, BODY)
        again = send(anonymous, path, BODY)
        assert again.body == first.body
        assert again.headers["Idempotent-Replayed"] == "true"
        assert send(anonymous, path, BODY, key="another").status == 429

    def test_it_shares_no_key_with_callers_that_have_one(self, path, anonymous, api):
        assert id_of(send(api, path, BODY)) != id_of(send(anonymous, path, BODY))


def test_the_api_document_names_it():
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    named = {
        operation["operationId"]
        for operation in itertools.chain.from_iterable(row.values() for row in paths.values())
        if any(row["name"] == "Idempotency-Key" for row in operation.get("parameters", ()))
    }
    assert named == {
        "post_submit_pipeline",
        "post_submit_endpoint",
        "post_submit_endpoint_of_version",
        "post_submit_endpoint_by_name",
        "post_submit_alias",
        "post_create_with_graph",
        "post_submit_draft",
        "post_snapshot_run_by_experiment",
    }


@pytest.mark.parametrize("door", ["alias", "graph", "draft", "script"])
def test_at_once_they_are_one_run(database_of_threads, door):  # noqa: F811
    actor = factories.actor(factories.workspace())
    api = Api(actor.workspace, factories.token(actor))
    path, body, _ = Doors(api, actor).calls[door]
    ready, replies = Barrier(20), []

    def call():
        try:
            ready.wait(30)
            replies.append(send(api, path, body))
        finally:
            connection.close()

    threads = [Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len({id_of(reply) for reply in replies}) == 1
    assert len(replies) == 20
    assert sum("Idempotent-Replayed" in reply.headers for reply in replies) == 19
    assert made() == 1

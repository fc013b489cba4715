"""The execution service: a script's own run, from its definition to its end."""

import json
import uuid

import pytest

from endpoints import blueprints
from endpoints.models import Graph, Module, SavedDataset, Snapshot
from runs import engine, run_tokens, services
from runs.engine import claimed_step as jobs
from runs.engine.recover import stuck_runs
from runs.engine.time_out import overdue_runs
from runs.models import Experiment, Kind, Outcome, Run, StepRun
from runs.states import Status
from runs.submission import RunSettings
from studio.core.models import Role
from tests import factories
from tests.api.conftest import Api
from tests.runs import playing

pytestmark = pytest.mark.django_db


@pytest.fixture
def snapshot(workspace):
    files = {"train.py": {"sha256": "0" * 64, "size": 1, "mode": 0o644}}
    return Snapshot.objects.create(workspace=workspace, files=files, content_hash="0" * 64)


@pytest.fixture
def definition(snapshot):
    return {
        "SnapshotId": str(snapshot.uuid),
        "TargetDetails": None,
        "TelemetryValues": {"amlClientType": "azureml-sdk-core"},
        "Configuration": {
            "script": "train.py",
            "arguments": ["--lr", 0.5, "two words"],
            "target": "cpu-cluster",
            "framework": "Python",
            "communicator": "None",
            "nodeCount": 1,
            "maxRunDurationSeconds": 60,
            "environment": {"name": "e", "environmentVariables": {"A": "1", "B": "1"}},
            "environmentVariables": {"B": "2"},
            "data": {},
            "outputData": {},
            "dataReferences": {},
            "command": "",
        },
    }


def post(api, definition, *, experiment="exp", run_id="exp_1_a"):
    path = f"/execution/v1.0{api.workspace.scope}/experiments/{experiment}/snapshotrun"
    return api.post(f"{path}?runId={run_id}", definition)


def run_of(reply) -> Run:
    return Run.objects.select_related("pipeline_run").get(uuid=reply.body["runId"])


def with_(definition, **changes):
    return {**definition, "Configuration": {**definition["Configuration"], **changes}}


def details(api, run):
    return api.get(f"{api.H}/runs/{run.uuid}/details").body


def test_details_say_what_the_script_was_warned_of_read_and_made(api, definition):
    saved = uuid.uuid4()
    run = run_of(post(api, definition))
    assert details(api, run)["inputDatasets"] == details(api, run)["warnings"] == []
    StepRun.objects.filter(run__parent=run).update(
        warnings=["The image is not used."],
        inputs={"table": {"saved": str(saved)}, "left": {"node": "n", "port": "p"}},
        outputs={"made": {"datastore": "s", "path": "p", "registered": str(saved)}},
    )
    said = details(api, run)
    assert said["warnings"] == [{"source": "studio", "message": "The image is not used."}]
    (read,), (made,) = said["inputDatasets"], said["outputDatasets"]
    assert read["identifier"] == made["identifier"] == {"savedId": str(saved)}
    assert read["inputDetails"]["inputName"] == "table"
    assert made["outputDetails"]["outputName"] == "made"


def test_a_definition_becomes_a_run_of_one_step(api, definition):
    reply = post(api, definition)
    assert reply.status == 200
    run = run_of(reply)
    assert (run.kind, run.target, run.status) == (Kind.SCRIPT, "cpu-cluster", Status.NOT_STARTED)
    step = Run.objects.get(parent=run)
    assert (step.kind, step.status, step.target) == (Kind.STEP, Status.QUEUED, "cpu-cluster")
    assert step.step.timeout_seconds == 60
    dto = api.get(f"{api.H}/runs/{run.uuid}").body
    assert dto["runType"] == "azureml.scriptrun"
    assert dto["properties"] == {"ContentSnapshotId": definition["SnapshotId"]}
    kept = details(api, run)["runDefinition"]
    assert kept["script"] == "train.py"
    assert kept["environment"]["environmentVariables"] == {"A": "1", "B": "1"}
    assert kept["environmentVariables"] == {"B": "2"}


def test_clients_see_one_run_not_its_step(api, definition):
    run = run_of(post(api, definition))
    for path in (f"{api.H}/runs:query", f"{api.H}/experiments/exp/runs:query"):
        for text in ("", "(ParentRunId eq null)", "(RunType eq azureml.scriptrun)"):
            assert [row["runId"] for row in api.post(path, {"filter": text}).body["value"]] == [
                str(run.uuid)
            ]
    assert api.get(f"{api.H}/runs/{run.uuid}/children").body["value"] == []


def test_its_process_is_the_run_itself(api, definition):
    run = run_of(post(api, definition))
    job = jobs.load(playing.take())
    assert job.tracked_run.uuid == run.uuid
    assert job.node.runconfig["environment"]["environmentVariables"] == {"A": "1", "B": "2"}
    own = Api(api.workspace, run_tokens.make(run)[0])
    assert own.patch(f"{api.H}/runs/{run.uuid}", {"tags": {"a": "b"}}).status == 200
    child = uuid.uuid4()
    made = own.patch(f"{api.H}/experiments/exp/runs/{child}", {"parentRunId": str(run.uuid)})
    assert made.status == 200
    children = api.get(f"{api.H}/runs/{run.uuid}/children").body["value"]
    assert [row["runId"] for row in children] == [str(child)]


def test_a_step_of_a_pipeline_stays_a_run_of_its_own(actor):
    run = playing.start(actor)
    job = jobs.load(playing.take())
    assert job.tracked_run == Run.objects.get(parent=run)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(Outcome.COMPLETED, Status.COMPLETED), (Outcome.FAILED, Status.FAILED)],
)
def test_ends_as_its_script_does(api, definition, outcome, status):
    run = run_of(post(api, definition))
    assert playing.play(run, {"train.py": [outcome]}) == ["train.py"]
    assert run.status == status
    assert bool(details(api, run)["error"]) == (status == Status.FAILED)


def test_a_script_says_that_its_run_failed_and_its_worker_ends_it(api, definition):
    run = run_of(post(api, definition))
    playing.take()
    own = Api(api.workspace, run_tokens.make(run)[0])
    events = f"{api.H}/runs/{run.uuid}/events"
    error = {"ErrorResponse": {"error": {"message": "told so"}}}
    assert own.post(events, {"name": "Run.Error", "data": error}).status == 200
    assert own.post(events, {"name": "Microsoft.MachineLearning.Run.Failed"}).status == 200
    run.refresh_from_db()
    assert run.status == Status.RUNNING
    assert Run.objects.get(parent=run).error == "told so"


@pytest.mark.parametrize("is_taken", [False, True])
def test_cancel_by_status_as_the_client_does_it(api, definition, is_taken):
    run = run_of(post(api, definition))
    claim = playing.take() if is_taken else None
    path = f"{api.H}/runs/{run.uuid}"
    assert api.patch(path, {"status": "Canceled"}).status == 200
    if claim is not None:
        run.refresh_from_db()
        assert run.status == Status.CANCEL_REQUESTED
        engine.finish(claim, Outcome.CANCELED)
        engine.advance(run.pk)
    run.refresh_from_db()
    assert run.status == Status.CANCELED
    assert api.patch(path, {"status": "Canceled"}).status == 200  # over already


def test_its_client_cannot_say_that_it_is_complete(api, definition):
    run = run_of(post(api, definition))
    assert api.patch(f"{api.H}/runs/{run.uuid}", {"status": "Completed"}).status == 200
    run.refresh_from_db()
    assert run.status == Status.NOT_STARTED


def test_recover_finishes_what_was_left_half_way(api, definition):
    run = run_of(post(api, definition))
    assert stuck_runs() == []
    engine.finish(playing.take(), Outcome.COMPLETED)
    assert stuck_runs() == [run.pk]
    assert overdue_runs(run.created_at) == []


def test_a_clients_own_runs_are_left_alone_by_recover(actor, workspace):
    run = services.make_child(
        actor,
        uuid=uuid.uuid4(),
        experiment=Experiment.objects.create(workspace=workspace, name="own"),
        status=Status.RUNNING,
    )
    engine.recover()
    run.refresh_from_db()
    assert run.status == Status.RUNNING


def test_the_same_submission_twice_is_one_run(api, definition):
    first, second = post(api, definition), post(api, definition)
    assert first.body["runId"] == second.body["runId"]
    assert Run.objects.filter(kind=Kind.SCRIPT).count() == 1
    assert Module.objects.count() == Graph.objects.count() == 1
    other = post(api, definition, run_id="exp_2_b")
    elsewhere = post(api, definition, experiment="x" * 200)
    assert len({row.body["runId"] for row in (first, other, elsewhere)}) == 3
    nameless = post(api, definition, run_id="")
    assert nameless.status == 200


def test_command_joined_or_as_words(api, definition):
    for n, command in enumerate(("echo a && echo b", ["echo", "a", "&&", "echo", "b"])):
        changed = with_(definition, command=command, script=None, arguments=[])
        reply = post(api, changed, run_id=str(n))
        assert reply.status == 200
        node = run_of(reply).pipeline_run.graph.wire["ModuleNodes"][0]
        values = {row["Name"]: row["Value"] for row in node["ModuleParameters"]}
        assert values == {"Target": "cpu-cluster", "Command": "echo a && echo b"}


def test_data_in_and_out(api, definition, workspace):
    saved = SavedDataset.objects.create(workspace=workspace, dataset_type="file", dataflow="{}")
    given = {"dataLocation": {"dataset": {"id": str(saved.uuid)}}, "mechanism": "mount"}
    path = {"dataPath": {"datastoreName": "workspaceblobstore", "relativePath": "a/b"}}
    left = {
        "outputLocation": path,
        "mechanism": "mount",
        "additionalOptions": {
            "registrationOptions": {"name": "left-data"},
            "uploadOptions": {"sourceGlobs": {"patterns": ["*.csv"]}},
        },
    }
    reply = post(api, with_(definition, data={"given": given}, outputData={"left": left}))
    assert reply.status == 200
    step = Run.objects.get(parent=run_of(reply)).step
    assert jobs.load(playing.take()).node.outputs["left"].only == ("*.csv",)
    assert step.inputs == {"given": {"saved": str(saved.uuid)}}
    assert step.outputs == {"left": {"datastore": "workspaceblobstore", "path": "a/b"}}


NOBODYS = "3f0c9a52-6d1e-4b7a-9c58-7e2b14d0a6f3"
TAKING = {"additionalOptions": {"uploadOptions": {"sourceGlobs": {"patterns": [7]}}}}
DATASET = {"dataLocation": {"dataset": {"id": NOBODYS}}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"script": ""}, "script"),
        ({"script": "none.py"}, "none.py"),
        ({"script": "../train.py"}, "train.py"),
        ({"script": ["train.py"]}, "script"),
        ({"target": "nowhere"}, "nowhere"),
        ({"target": "local"}, "target"),
        ({"target": None}, "target"),
        ({"framework": "PySpark"}, "framework"),
        ({"communicator": "OpenMpi"}, "communicator"),
        ({"nodeCount": 2}, "nodeCount"),
        ({"nodeCount": "two"}, "nodeCount"),
        ({"maxRunDurationSeconds": -1}, "maxRunDurationSeconds"),
        ({"arguments": {"a": 1}}, "arguments"),
        ({"arguments": [["a"]]}, "arguments"),
        ({"arguments": "'a"}, "arguments"),
        ({"command": {"a": 1}}, "command"),
        ({"environment": []}, "environment"),
        ({"environment": {"python": 7}}, "python"),
        ({"environment": {"r": {"rVersion": "4"}}}, "R"),
        ({"environmentVariables": {"a": []}}, "environmentVariables"),
        ({"data": []}, "data"),
        ({"data": {"in": {}}}, "in"),
        ({"data": {"in": 7}}, "data.in"),
        ({"data": {"": DATASET}}, "data"),
        ({"data": {"in": {**DATASET, "mechanism": "hdfs"}}}, "mechanism"),
        ({"data": {"in": DATASET}}, DATASET["dataLocation"]["dataset"]["id"]),
        ({"outputData": {"out": {"mechanism": "link"}}}, "mechanism"),
        ({"outputData": {"out": {"outputLocation": 7}}}, "outputLocation"),
        ({"outputData": {"out": TAKING}}, "sourceGlobs"),
        ({"dataReferences": {"a": {}}}, "dataReferences"),
        ({"datacaches": [{}]}, "datacaches"),
    ],
)
def test_bad_definitions_are_400_naming_the_field_and_make_nothing(api, definition, changes, words):
    reply = post(api, with_(definition, **changes))
    assert reply.status == 400
    assert words in reply.body["error"]["message"]
    assert not (Run.objects.exists() or Graph.objects.exists() or Module.objects.exists())


@pytest.mark.parametrize("snapshot_id", [None, "", "x", NOBODYS, [], 7])
def test_without_a_snapshot_it_is_400(api, definition, snapshot_id):
    reply = post(api, {**definition, "SnapshotId": snapshot_id})
    assert reply.status == 400
    assert "napshot" in reply.body["error"]["message"]


def test_a_snapshot_of_another_workspace_is_not_there(api, definition):
    snapshot = Snapshot.objects.create(workspace=factories.workspace(), files={"train.py": {}})
    assert post(api, {**definition, "SnapshotId": str(snapshot.uuid)}).status == 400


def test_other_ways_to_submit_say_what_to_do(api):
    base = f"/execution/v1.0{api.workspace.scope}/experiments/exp"
    assert "compute_target" in api.post(f"{base}/localrun").body["error"]["message"]
    assert "AML_FORCE" in api.post(f"{base}/startrun").body["error"]["message"]


@pytest.mark.parametrize(
    ("role", "status"), [(Role.READER, 403), (Role.OPERATOR, 403), (Role.PUBLISHER, 200)]
)
def test_roles(api_as, definition, role, status):
    """A Publisher's, as any code that is sent in."""
    assert post(api_as(role), definition).status == status


def test_the_page_of_a_script_run(client, api, definition, actor):
    run = run_of(post(api, definition))
    playing.play(run)
    client.force_login(actor.user)
    for path in ("", "outputs/", "metrics/"):
        reply = client.get(f"/runs/{run.uuid}/{path}")
        assert reply.status_code == 200, path
    step = Run.objects.get(parent=run, kind=Kind.STEP)
    assert client.get(f"/runs/{step.uuid}/", follow=True).status_code == 200


def test_a_scripts_run_is_submitted_again_as_what_it_was(api, actor, definition):
    run = run_of(post(api, definition))
    again = services.resubmit(actor, run, RunSettings("other"))
    assert (again.kind, again.experiment.name) == (Kind.SCRIPT, "other")
    assert again.pipeline_run.graph == run.pipeline_run.graph
    assert again.pipeline_run.original == run.pipeline_run
    assert again.properties == run.properties
    assert again.target == "cpu-cluster"
    (step,) = again.children.all()
    assert (step.kind, step.step.timeout_seconds) == (Kind.STEP, 60)
    assert api.get(f"{api.H}/experiments/other/runs/{again.uuid}").body["runType"] == (
        "azureml.scriptrun"
    )


def test_the_page_of_a_scripts_run_offers_to_submit_it_again(api, actor, client, definition):
    run = run_of(post(api, definition))
    client.force_login(actor.user)
    address = f"/runs/{run.uuid}/resubmit/"
    assert address in client.get(f"/runs/{run.uuid}/").content.decode()
    form = client.get(address).context["form"]
    given = {"key": form["key"].value(), "experiment_choice": "existing", "experiment": "exp"}
    reply = client.post(address, given)
    assert reply.status_code == 302, reply.context["form"].errors
    again = Run.objects.filter(kind=Kind.SCRIPT).latest("pk")
    assert (again != run, again.pipeline_run.original) == (True, run.pipeline_run)
    mine = services.make_child(actor, uuid=uuid.uuid4(), experiment=run.experiment)
    assert client.get(f"/runs/{mine.uuid}/resubmit/").status_code == 404
    assert "resubmit" not in client.get(f"/runs/{mine.uuid}/").content.decode()


def test_nothing_is_left_to_clean_of_a_run_that_is_over(api, actor, definition):
    run = run_of(post(api, definition))
    path = f"/execution/v1.0{api.workspace.scope}/experiments/exp/clean?all=False"
    reply = api.post(path, {"RunId": str(run.uuid), "Target": "cpu-cluster"})
    assert reply.status == 409
    assert "is not over" in reply.body["error"]["message"]
    services.cancel(actor, run)
    assert api.post(path, {"RunId": str(run.uuid)}).body == []
    assert api.post(path, {"RunId": "null"}).body == []
    assert api.post(path, {}).status == 400
    elsewhere = path.replace("/exp/", "/other/")
    assert api.post(elsewhere, {"RunId": str(run.uuid)}).status == 404


def test_numbers_reach_the_script_as_they_were_written(api, definition):
    configuration = definition["Configuration"]
    configuration["arguments"] = ["--lr", "LR"]
    configuration["environmentVariables"] = {"B": "LR"}
    configuration["environment"] = {"environmentVariables": {"A": "LR"}}
    raw = json.dumps(definition).replace('"LR"', "1.10").encode()
    path = f"/execution/v1.0{api.workspace.scope}/experiments/exp/snapshotrun"
    run = run_of(api.post(path, raw=raw))
    node = blueprints.load(run.pipeline_run.graph.uuid).graph.nodes.popitem()[1]
    assert [argument.value for argument in node.module.arguments] == ["--lr", "1.10"]
    variables = node.runconfig["environment"]["environmentVariables"]
    assert variables == {"A": "1.10", "B": "1.10"}

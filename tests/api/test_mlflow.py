"""MLflow's REST API: what it logs is what the SDK logs, and what is refused in MLflow's own words."""

import pytest

from runs import run_tokens, services
from runs.models import Metric, Run, RunAttribute
from studio.core.models import Role
from tests import factories
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


class Mlflow(Api):
    def ask(self, path, body=None, **query):
        address = f"/mlflow/v2.0{self.workspace.scope}/api/2.0/mlflow/{path}"
        if body is None:
            words = "&".join(f"{key}={value}" for key, value in query.items())
            return self.get(f"{address}?{words}")
        return self.post(address, body)

    def made(self, **more):
        experiment = self.ask("experiments/get-by-name", experiment_name="e")
        if experiment.status == 404:
            made = self.ask("experiments/create", {"name": "e"}).body["experiment_id"]
        else:
            made = experiment.body["experiment"]["experiment_id"]
        reply = self.ask("runs/create", {"experiment_id": made, **more})
        assert reply.status == 200, reply.body
        return reply.body["run"]


@pytest.fixture
def mlflow(workspace, actor):
    return Mlflow(workspace, factories.token(actor))


def test_a_run_is_made_told_of_and_ended(mlflow):
    run = mlflow.made(run_name="first", tags=[{"key": "a", "value": "b"}])["info"]
    uuid = run["run_id"]
    metric = {"key": "m", "value": 0.5, "timestamp": 1700000000000, "step": 3}
    batch = {"run_id": uuid, "metrics": [metric], "params": [{"key": "lr", "value": "0.1"}]}
    assert mlflow.ask("runs/log-batch", batch).status == 200
    ended = mlflow.ask("runs/update", {"run_id": uuid, "status": "FINISHED"}).body["run_info"]
    assert (ended["status"], ended["run_name"]) == ("FINISHED", "first")
    data = mlflow.ask("runs/get", run_id=uuid).body["run"]["data"]
    assert data["metrics"] == [metric]
    assert data["params"] == [{"key": "lr", "value": "0.1"}]
    assert {"key": "a", "value": "b"} in data["tags"]
    row = Run.objects.get(uuid=uuid)
    assert (row.display_name, row.tags, row.status) == ("first", {"a": "b"}, "Completed")
    assert RunAttribute.objects.get(run=row, kind="parameter").value == "0.1"


def test_a_param_stays_what_it_was_and_a_batch_is_all_or_nothing(mlflow):
    uuid = mlflow.made()["info"]["run_id"]
    assert (
        mlflow.ask("runs/log-parameter", {"run_id": uuid, "key": "p", "value": "a"}).status == 200
    )
    assert (
        mlflow.ask("runs/log-parameter", {"run_id": uuid, "key": "p", "value": "a"}).status == 200
    )
    metric = {"key": "m", "value": 1, "timestamp": 1}
    batch = {"run_id": uuid, "metrics": [metric], "params": [{"key": "p", "value": "b"}]}
    reply = mlflow.ask("runs/log-batch", batch)
    assert (reply.status, reply.body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "'p'" in reply.body["message"]
    assert not Metric.objects.exists()


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("runs/log-metric", {"key": "m", "value": "much"}, "value"),
        ("runs/log-metric", {"key": "m", "value": True}, "value"),
        ("runs/log-metric", {"key": "m", "value": 1, "timestamp": "then"}, "timestamp"),
        ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 10**17}, "timestamp"),
        ("runs/log-metric", {"key": "m", "value": 1, "step": 1.5}, "step"),
        ("runs/log-metric", {"key": "", "value": 1}, "key"),
        ("runs/log-parameter", {"key": "p", "value": "x" * 6001}, "value"),
        ("runs/log-batch", {"metrics": {}}, "metrics"),
        ("runs/log-batch", {"tags": [7]}, "tags"),
        ("runs/update", {"status": "DONE"}, "status"),
        ("runs/update", {"run_name": "x" * 256}, "run_name"),
        ("runs/set-tag", {"key": "mlflow.runName", "value": "x" * 256}, "mlflow.runName"),
    ],
)
def test_wrong_values_name_their_field(mlflow, path, body, field):
    uuid = mlflow.made()["info"]["run_id"]
    reply = mlflow.ask(path, {"run_id": uuid, **body})
    assert (reply.status, reply.body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert reply.body["error"]["target"] == field
    assert not Metric.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        *("metrics.m", "metrics.m >", "metrics.m > 'a'", "params.p = 3", "x.y = 'a'", "name ~ 'a'"),
        *("metrics.m > 1 or metrics.m < 0", "metrics.m > 1 and", "tags.a IN 'b'", "tags.a > 'b'"),
        *("start_time > 1e30", "metrics.m LIKE 'a'", "status LIKE 'F%'", "a" * 6001),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(mlflow, text):
    uuid = mlflow.made()["info"]["experiment_id"]
    reply = mlflow.ask("runs/search", {"experiment_ids": [uuid], "filter": text})
    assert (reply.status, reply.body["error"]["target"]) == (400, "filter"), reply.body


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("metrics.m > 0.5", ["b"]),
        ("metrics.`m` <= 0.5 and params.p = 'one'", ["a"]),
        ("params.p != 'one'", ["b"]),
        ("params.p ILIKE 'T_O'", ["b"]),
        ("tags.t IN ('x', 'y')", ["b", "a"]),
        ("tags.t NOT IN ('x')", ["b"]),
        ("tags.none IS NULL and tags.t IS NOT NULL", ["b", "a"]),
        ("run_name = 'a' and status = 'RUNNING'", ["a"]),
        ("status IN ('KILLED', 'FAILED')", []),
    ],
)
def test_runs_are_searched(mlflow, text, found):
    for name, value, word, tag in (("a", 0.5, "one", "x"), ("b", 1, "two", "y")):
        run = mlflow.made(run_name=name, tags=[{"key": "t", "value": tag}])["info"]
        batch = {
            "run_id": run["run_id"],
            "metrics": [{"key": "m", "value": value, "timestamp": 1}],
            "params": [{"key": "p", "value": word}],
        }
        assert mlflow.ask("runs/log-batch", batch).status == 200
    asked = {"experiment_ids": [run["experiment_id"]], "filter": text}
    rows = mlflow.ask("runs/search", asked).body["runs"]
    assert [row["info"]["run_name"] for row in rows] == found


def test_what_is_not_there_is_said_in_mlflows_words(mlflow):
    for reply, code in (
        (mlflow.ask("runs/get", run_id="none"), "RESOURCE_DOES_NOT_EXIST"),
        (mlflow.ask("registered-models/create", {"name": "m"}), "ENDPOINT_NOT_FOUND"),
        (mlflow.ask("experiments/get-by-name", experiment_name="none"), "RESOURCE_DOES_NOT_EXIST"),
    ):
        assert (reply.status, reply.body["error_code"]) == (404, code)
    mlflow.made()
    twice = mlflow.ask("experiments/create", {"name": "e"})
    assert (twice.status, twice.body["error_code"]) == (409, "RESOURCE_ALREADY_EXISTS")


def test_a_reader_logs_nothing(mlflow, workspace):
    run = mlflow.made()["info"]
    reader = Mlflow(workspace, factories.token(factories.actor(workspace, Role.READER)))
    assert reader.ask("runs/get", run_id=run["run_id"]).status == 200
    reply = reader.ask("runs/log-parameter", {"run_id": run["run_id"], "key": "p", "value": "a"})
    assert (reply.status, reply.body["error_code"]) == (403, "PERMISSION_DENIED")
    assert reader.ask("runs/create", {"experiment_id": run["experiment_id"]}).status == 403


def test_a_step_logs_to_its_run_and_starts_runs_below_it_only(mlflow, actor, workspace):
    other = mlflow.made()["info"]
    run = services.submit(actor, experiment="own", pipeline=factories.pipeline(workspace))
    own = Run.objects.get(parent=run)
    step = Mlflow(workspace, run_tokens.make(own)[0])
    param = {"key": "p", "value": "a"}
    assert step.ask("runs/log-parameter", {"run_id": str(own.uuid), **param}).status == 200
    assert step.ask("runs/log-parameter", {"run_id": other["run_id"], **param}).status == 404
    assert step.ask("runs/update", {"run_id": str(run.uuid), "status": "KILLED"}).status == 403
    within = {"experiment_id": str(run.experiment.uuid)}
    assert step.ask("runs/create", within).status == 400
    below = [{"key": "mlflow.parentRunId", "value": str(own.uuid)}]
    made = step.ask("runs/create", {**within, "tags": below}).body["run"]["info"]
    assert Run.objects.get(uuid=made["run_id"]).parent == own
    assert step.ask("experiments/create", {"name": "more"}).status == 403

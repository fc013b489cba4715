"""MLflow's REST API: what it logs is what the SDK logs, and what is refused in MLflow's own words."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runs import run_tokens
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
        ("runs/log-batch", {"metrics": [{"key": "m", "value": 1}] * 1001}, "metrics"),
        ("runs/log-batch", {"params": [{"key": "p", "value": "1"}] * 101}, "params"),
        ("runs/log-batch", {"tags": [{"key": "t", "value": "1"}] * 101}, "tags"),
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
        *("start_time IN ('1')", "metrics.m IN ('1')", "status IN ('a' 'b')"),
        "status in (" + ("'a'" + 10 * " ") * 40 + "!",  # nothing to try in all its ways
        "status IS" + 2900 * " " + "NULL" + 2900 * " " + "~",
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(mlflow, text):
    uuid = mlflow.made()["info"]["experiment_id"]
    reply = mlflow.ask("runs/search", {"experiment_ids": [uuid], "filter": text})
    assert (reply.status, reply.body["error"]["target"]) == (400, "filter"), reply.body


def test_a_filter_of_fifty_comparisons_is_the_longest(mlflow):
    made = mlflow.made()["info"]
    clause = "metrics.m != 1"
    for count, status in ((50, 200), (51, 400)):
        text = " and ".join([clause] * count)
        asked = {"experiment_ids": [made["experiment_id"]], "filter": text}
        assert mlflow.ask("runs/search", asked).status == status


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
        ("tags.mlflow.parentRunId IS NULL and status IS NOT NULL", ["b", "a"]),
        ("run_id IS NULL", []),
        ("tags.mlflow.note.content IS NULL and run_name IS NOT NULL", ["b", "a"]),
        ("run_name = 'a' and status = 'RUNNING'", ["a"]),
        ("run_name LIKE '[ab]'", []),
        ("run_name LIKE '%a' and user_id ILIKE '%'", ["a"]),
        ("tags.mlflow.runName ILIKE '_' and start_time > 0", ["b", "a"]),
        ("status IN ('KILLED', 'FAILED')", []),
        ("metrics.`5` >= 0 and tags.`5` = 'y'", ["b"]),
        ("params.`say \"5\"` LIKE '%\nx'", ["a"]),
        ("params.`say \"5\"` LIKE 'A%'", []),
        ("params.`say \"5\"` ILIKE 'A%X'", ["a"]),
        ("tags.long LIKE '%a%a%a%a%a%b'", []),
        ("tags.t LIKE '[xy]'", []),
        ("tags.`5` LIKE '*'", []),
    ],
)
def test_runs_are_searched(mlflow, text, found):
    for name, value, word, tag in (("a", 0.5, "one", "x"), ("b", 1, "two", "y")):
        tags = {"t": tag, "5": tag, "long": 3000 * "a"}
        rows = [{"key": key, "value": value} for key, value in tags.items()]
        run = mlflow.made(run_name=name, tags=rows)["info"]
        batch = {
            "run_id": run["run_id"],
            "metrics": [{"key": key, "value": value, "timestamp": 1} for key in ("m", "5")],
            "params": [{"key": "p", "value": word}, {"key": 'say "5"', "value": f"{name}\n{tag}"}],
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
    run = factories.run(actor, experiment="own", pipeline=factories.pipeline(workspace))
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


def test_a_run_that_is_over_begins_again_and_ends_as_its_client_says(mlflow):
    uuid = mlflow.made(start_time=1_000)["info"]["run_id"]

    def told(status, **more):
        return mlflow.ask("runs/update", {"run_id": uuid, "status": status, **more}).body[
            "run_info"
        ]

    assert (told("KILLED")["status"], told("FAILED")["status"]) == ("KILLED", "FAILED")
    again = told("RUNNING")
    assert (again["status"], again["start_time"]) == ("RUNNING", 1_000) and "end_time" not in again
    assert told("FINISHED", end_time=5_000)["end_time"] == 5_000
    assert Run.objects.get(uuid=uuid).status == "Completed"


def test_what_a_run_is_about_is_a_tag_and_its_description(mlflow):
    note = {"key": "mlflow.note.content", "value": "about"}
    uuid = mlflow.made(tags=[note])["info"]["run_id"]
    assert note in mlflow.ask("runs/get", run_id=uuid).body["run"]["data"]["tags"]
    assert Run.objects.get(uuid=uuid).description == "about"
    assert mlflow.ask("runs/delete-tag", {"run_id": uuid, "key": note["key"]}).status == 200
    assert Run.objects.get(uuid=uuid).description == ""


def test_the_last_value_is_that_of_the_last_step(mlflow):
    run = mlflow.made()["info"]
    for step, value in ((5, 0.5), (10, "Infinity"), (3, 0.3)):
        metric = {"key": "m", "value": value, "step": step, "timestamp": 1}
        assert mlflow.ask("runs/log-metric", {"run_id": run["run_id"], **metric}).status == 200
    data = mlflow.ask("runs/get", run_id=run["run_id"]).body["run"]["data"]
    assert data["metrics"][0]["value"] == "Infinity"
    for text, count in (("metrics.m > 1e300", 1), ("metrics.m < 0", 0)):
        asked = {"experiment_ids": [run["experiment_id"]], "filter": text}
        assert len(mlflow.ask("runs/search", asked).body["runs"]) == count


def test_who_names_no_experiment_logs_to_the_default_one(mlflow):
    run = mlflow.ask("runs/create", {"experiment_id": "0"}).body["run"]["info"]
    assert Run.objects.get(uuid=run["run_id"]).experiment.name == "Default"
    assert mlflow.ask("experiments/get", experiment_id="0").body["experiment"]["name"] == "Default"


def test_too_many_orders_and_two_values_of_a_param_are_refused(mlflow):
    run = mlflow.made()["info"]
    asked = {"experiment_ids": [run["experiment_id"]], "order_by": ["metrics.m"] * 21}
    assert mlflow.ask("runs/search", asked).body["error"]["target"] == "order_by"
    params = [{"key": "p", "value": value} for value in ("a", "b")]
    reply = mlflow.ask("runs/log-batch", {"run_id": run["run_id"], "params": params})
    assert (reply.status, reply.body["error"]["target"]) == (400, "params")


def test_a_batch_holds_what_mlflow_lets_it_hold(mlflow):
    uuid = mlflow.made()["info"]["run_id"]
    full = {
        "run_id": uuid,
        "metrics": [{"key": "m", "value": 1, "step": step} for step in range(900)],
        "params": [{"key": f"p{number}", "value": "1"} for number in range(100)],
    }
    reply = mlflow.ask("runs/log-batch", {**full, "tags": [{"key": "t", "value": "1"}]})
    assert (reply.status, reply.body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "1000 metrics, params and tags together, not 1001" in reply.body["message"]
    assert not Metric.objects.exists()
    assert mlflow.ask("runs/log-batch", full).status == 200
    assert Metric.objects.get().values.count() == 900


def test_a_batch_of_many_metrics_costs_the_queries_of_one_of_few(mlflow):
    uuid = mlflow.made()["info"]["run_id"]

    def queries(count: int) -> int:
        """Of a batch in which half of the points are of metrics that are new."""
        metrics = [{"key": f"{count}-{n}", "value": n, "timestamp": 1} for n in range(count // 2)]
        metrics += [{"key": "old", "value": n, "step": n} for n in range(count // 2)]
        with CaptureQueriesContext(connection) as context:
            assert mlflow.ask("runs/log-batch", {"run_id": uuid, "metrics": metrics}).status == 200
        return len(context)

    queries(2)
    assert queries(10) == queries(100)


@pytest.mark.parametrize("step", [2**63 - 1, "-9223372036854775808"])
def test_a_number_that_is_too_large_says_how_large_it_may_be(mlflow, step):
    uuid = mlflow.made()["info"]["run_id"]
    reply = mlflow.ask("runs/log-metric", {"run_id": uuid, "key": "m", "value": 1, "step": step})
    assert (reply.status, reply.body["error"]["target"]) == (400, "step")
    assert "at most 18 digits" in reply.body["message"]


def test_runs_below_no_other_are_found_and_messages_name_what_was_asked(mlflow):
    top = mlflow.made(run_name="top")["info"]
    below = [{"key": "mlflow.parentRunId", "value": top["run_id"]}]
    mlflow.made(run_name="below", tags=below)

    def found(text):
        asked = {"experiment_ids": [top["experiment_id"]], "filter": text}
        return mlflow.ask("runs/search", asked).body

    for word, name in (("NULL", "top"), ("NOT NULL", "below")):
        for key in ("tags.mlflow.parentRunId", "tags.`mlflow.parentRunId`"):
            (row,) = found(f"{key} IS {word}")["runs"]
            assert row["info"]["run_name"] == name
    for key in ("tags.mlflow.parentRunId", "run_id", "status"):
        told = found(f"{key} LIKE 'a'")["message"]
        assert told.startswith(f"{key.removeprefix('tags.')} is compared by")
        assert "uuid" not in told

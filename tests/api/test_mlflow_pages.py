"""MLflow's pages: whatever the order, they hold each row once, and none is sought by an offset."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.api.test_mlflow import Mlflow

pytestmark = pytest.mark.django_db
ORDERS = [
    [],
    ["metrics.m ASC"],
    ["metrics.m DESC"],
    ["tags.team DESC", "metrics.m"],
    ["params.p ASC", "attributes.start_time DESC"],
    ["attributes.end_time"],
    ["run_name", "run_name DESC"],
    ["tags.`mlflow.parentRunId`"],
]


@pytest.fixture
def mlflow(workspace, actor):
    return Mlflow(workspace, factories.token(actor))


@pytest.fixture
def experiment(mlflow):
    """Runs of which some are alike, and some lack what they are ordered by."""
    parent = None
    for number, value in enumerate([0.5, None, 0.25, 0.5, "NaN", -1.5, None, 0.5]):
        tags = [{"key": "team", "value": "ab"[number % 2]}] if number % 3 else []
        if parent:
            tags.append({"key": "mlflow.parentRunId", "value": parent})
        run = mlflow.made(run_name=f"run{number % 3}", tags=tags)["info"]
        parent = run["run_id"] if number == 2 else parent
        batch = {"run_id": run["run_id"]}
        if value is not None:
            batch["metrics"] = [{"key": "m", "value": value, "timestamp": number}]
            batch["params"] = [{"key": "p", "value": str(value)}]
        assert mlflow.ask("runs/log-batch", batch).status == 200
        if number in (1, 5):
            mlflow.ask("runs/update", {"run_id": run["run_id"], "status": "FINISHED"})
    return run["experiment_id"]


def ids(reply) -> list[str]:
    assert reply.status == 200, reply.body
    return [run["info"]["run_id"] for run in reply.body["runs"]]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_pages_of_runs_put_together_are_all_of_them(mlflow, experiment, order):
    asked = {"experiment_ids": [experiment], "order_by": order}
    together = ids(mlflow.ask("runs/search", asked))
    assert len(together) == 8
    found, token = [], None
    while token != "":
        page = {**asked, "max_results": 3} | ({"page_token": token} if token else {})
        with CaptureQueriesContext(connection) as queries:
            reply = mlflow.ask("runs/search", page)
        assert not any(" OFFSET " in query["sql"] for query in queries)
        found += ids(reply)
        token = reply.body.get("next_page_token", "")
    assert found == together


def test_the_values_of_a_metric_and_experiments_come_in_pages_too(mlflow):
    uuid = mlflow.made()["info"]["run_id"]
    metrics = [{"key": "m", "value": n, "timestamp": 5 - n % 2, "step": n} for n in range(5)]
    mlflow.ask("runs/log-batch", {"run_id": uuid, "metrics": metrics})
    whole = mlflow.ask("metrics/get-history", run_id=uuid, metric_key="m").body["metrics"]
    found, token = [], {}
    while token is not None:
        about = {"run_id": uuid, "metric_key": "m", "max_results": 2}
        reply = mlflow.ask("metrics/get-history", **about, **token).body
        found += reply["metrics"]
        token = {"page_token": reply["next_page_token"]} if "next_page_token" in reply else None
    assert found == whole and len(found) == 5
    for name in "abc":
        mlflow.ask("experiments/create", {"name": name})
    names, token = [], {}
    while token is not None:
        page = {"max_results": 1, "order_by": ["name"], **token}
        reply = mlflow.ask("experiments/search", page).body
        names += [row["name"] for row in reply["experiments"]]
        token = {"page_token": reply["next_page_token"]} if "next_page_token" in reply else None
    assert names == ["a", "b", "c", "e"]


@pytest.mark.parametrize("token", ["-1", "999999", "x"])
def test_a_token_that_is_of_no_page_is_refused(mlflow, token):
    experiment = mlflow.made()["info"]["experiment_id"]
    asked = {"experiment_ids": [experiment], "page_token": token}
    reply = mlflow.ask("runs/search", asked)
    assert (reply.status, reply.body["error"]["target"]) == (400, "page_token")

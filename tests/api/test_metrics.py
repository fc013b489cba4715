import sqlite3

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runs.api.metrics import MOST_METRICS, MOST_POINTS
from runs.models import MetricValue
from tests import factories

pytestmark = pytest.mark.django_db
POINT = {
    "metricId": "5b1d5bb0-0000-4000-8000-000000000001",
    "createdUtc": "2026-11-22T13:30:29.1744701Z",
}


@pytest.fixture
def run(actor, workspace):
    return factories.run(actor, experiment="exp", pipeline=factories.pipeline(workspace))


@pytest.fixture
def url(workspace, run):
    return f"/metric/v2.0{workspace.scope}/runs/{run.uuid}"


def scalar(value, **point):
    return {
        "name": "acc",
        "columns": {"acc": "double"},
        "properties": {"uxMetricType": "azureml.v1.scalar"},
        "value": [{**point, "step": 1, "data": {"acc": value}}],
    }


def test_a_batch_is_appended_and_read_in_order(api, url, run):
    for value in (0.1, 0.2):
        reply = api.post(f"{url}/batch", {"values": [scalar(value)], "reportErrors": True})
        assert (reply.status, reply.body) == (200, {"errors": []})
    assert api.get(f"{api.H}/experiments/exp/runs/{run.uuid}/metricsingest/wait").status == 200
    [row] = api.post(f"{url}/list").body["value"]
    assert row["metricKey"] == {"name": "acc"}
    full = api.post(f"{url}/full", {"metricName": "acc"}).body
    assert [point["data"] for point in full["value"]] == [{"acc": 0.1}, {"acc": 0.2}]
    assert full["columns"] == {"acc": "double"}
    assert full["dataContainerId"] == run.data_container_id


def test_a_point_that_is_sent_twice_is_kept_once(api, url):
    for _ in range(2):
        assert api.post(f"{url}/batch", {"values": [scalar(1, **POINT)]}).status == 200
    assert MetricValue.objects.count() == 1


def test_not_a_number_is_kept_as_its_word(api, url):
    raw = b'{"values": [{"name": "loss", "value": [{"data": {"loss": NaN}}]}]}'
    assert api.post(f"{url}/batch", raw=raw).status == 200
    full = api.post(f"{url}/full", {"metricName": "loss"}).body
    assert full["value"][0]["data"] == {"loss": "NaN"}


def test_an_unknown_metric_is_404(api, url):
    assert api.post(f"{url}/full", {"metricName": "none"}).status == 404


@pytest.mark.parametrize(
    "values",
    [
        [{}],
        ["x"],
        {},
        [{"name": "m", "value": [1]}],
        [{"name": "m", "value": [{"data": 1}]}],
        [{"name": "m", "value": [{"data": {}, "step": "x"}]}],
        [{"name": "m", "value": [{"data": {}, "step": 2**70}]}],
        [{"name": "m", "value": [{"data": {}, "metricId": "x"}]}],
        [{"name": "m", "value": [{"data": {}, "createdUtc": "yesterday"}]}],
        [{"name": "m", "value": [{"data": {}, "createdUtc": "9999-12-31T23:59:59-14:00"}]}],
        [{"name": "m", "value": [{"data": {}, "createdUtc": "0001-01-01T00:00:00+14:00"}]}],
        [{"name": "m" * 256}],
        [{"name": "m"}] * MOST_METRICS,
        [{"name": "m", "value": [{"data": {}}] * MOST_POINTS}],
    ],
)
def test_wrong_batches_store_nothing(api, url, values):
    assert (
        api.post(
            f"{url}/batch", {"values": [scalar(1), *values] if isinstance(values, list) else values}
        ).status
        == 400
    )
    assert not MetricValue.objects.exists()


def test_one_wrong_id_of_a_point_is_reported_and_the_rest_is_kept(api, url):
    wrong = {"name": "m", "value": [{"data": {}, "metricId": "x"}]}
    reply = api.post(f"{url}/batch", {"values": [scalar(1), wrong], "reportErrors": True})
    (error,) = reply.body["errors"]
    assert error["errorResponse"]["error"]["target"] == "metricId"
    assert MetricValue.objects.count() == 1


def test_values_of_several_runs_at_once(api, url, run, actor, workspace):
    for value in (0.1, 0.2):
        api.post(f"{url}/batch", {"values": [scalar(value)]})
    query = f"{api.H}/experiments/exp/metrics:query"
    reply = api.post(query, {"filter": f"(RunId eq {run.uuid})", "orderby": ["RunId asc"]}).body
    assert [row["cells"] for row in reply["value"]] == [[{"acc": 0.1}], [{"acc": 0.2}]]
    assert reply["value"][0]["metricType"] == "azureml.v1.scalar"
    assert reply["value"][0]["schema"]["properties"][0]["type"] == "double"
    assert reply["continuationToken"] is None
    elsewhere = f"{api.H}/experiments/other/metrics:query"
    assert api.post(elsewhere, {"filter": f"RunId eq {run.uuid}"}).status == 404


@pytest.mark.parametrize(
    ("condition", "cells"),
    [
        ("Name eq acc", [{"acc": 1}]),
        ("Name eq none", []),
        ("RunId eq none", []),
        ("MetricType eq azureml.v1.table or MetricType eq azureml.v1.scalar", [{"acc": 1}]),
        ("MetricType eq azureml.v1.table", []),
        ("(RunId eq {run}) and (CreatedUtc gt 2001-01-01T00:00:00)", [{"acc": 1}]),
        ("(RunId eq {run}) and (CreatedUtc gt 2101-01-01T00:00:00)", []),
    ],
)
def test_values_by_what_they_are(api, url, run, condition, cells):
    """What the SDK's own client of metrics writes into its filter."""
    api.post(f"{url}/batch", {"values": [scalar(1)]})
    asked = {"filter": condition.format(run=run.uuid)}
    found = api.post(f"{api.H}/experiments/exp/metrics:query", asked).body["value"]
    assert [row["cells"] for row in found] == [[cell] for cell in cells]


def test_a_field_that_metrics_lack_is_named(api, url):
    reply = api.post(f"{api.H}/experiments/exp/metrics:query", {"filter": "Status eq Running"})
    assert reply.status == 400
    assert "known are RunId, Name, MetricType, CreatedUtc" in str(reply.body)


def test_values_are_in_the_order_they_were_logged(api, url):
    for second in (3, 1, 2):
        late = {**POINT, "metricId": None, "createdUtc": f"2026-11-22T13:30:0{second}Z"}
        assert api.post(f"{url}/batch", {"values": [scalar(second, **late)]}).status == 200
    full = api.post(f"{url}/full", {"metricName": "acc"}).body
    assert [point["data"]["acc"] for point in full["value"]] == [1, 2, 3]


def test_one_metric_that_cannot_be_kept_costs_none_of_the_others(api, url):
    wrong = {**scalar(1), "name": "n" * 300}
    reply = api.post(f"{url}/batch", {"values": [wrong, scalar(2)], "reportErrors": True})
    [error] = reply.body["errors"]
    assert error["metric"] == {"name": "n" * 300}
    assert "255" in error["errorResponse"]["error"]["message"]
    assert [value.data for value in MetricValue.objects.all()] == [{"acc": 2}]
    assert api.post(f"{url}/batch", {"values": [wrong, scalar(3)]}).status == 400
    assert MetricValue.objects.count() == 1


def test_no_cell_is_missing_and_no_word_is_said_to_be_a_float(api, url):
    rows = [
        {"name": "r", "columns": {key: "double"}, "value": [{"data": {key: value}}]}
        for key, value in (("a", 1), ("b", "x"), ("c", "NaN"))
    ]
    assert api.post(f"{url}/batch", {"values": rows}).status == 200
    full = api.post(f"{url}/full", {"metricName": "r"}).body
    assert full["columns"] == {"a": "string", "b": "string", "c": "string"}
    assert full["value"][0]["data"] == {"a": 1, "b": None, "c": None}


def test_a_batch_of_many_points_costs_the_queries_of_one_of_few(api, url):
    def queries(count: int) -> int:
        """Of a batch in which half of the points are of metrics that are new."""
        values = [{**scalar(n), "name": f"{count}-{n}"} for n in range(count // 2)]
        ids = [f"{count:08x}-0000-4000-8000-{n:012x}" for n in range(count // 2)]
        points = [{"metricId": id_, "data": {"old": 1}} for id_ in ids]
        values.append({"name": "old", "columns": {"old": "double"}, "value": points})
        with CaptureQueriesContext(connection) as context:
            assert api.post(f"{url}/batch", {"values": values}).status == 200
        return len(context)

    queries(2)
    assert queries(10) == queries(100)


@pytest.fixture
def few_values_in_a_query():
    """Debian's SQLite takes 250,000 of them, others 32,766; less here, for the time it takes."""
    if connection.vendor != "sqlite":
        yield
        return
    limited = sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER
    before = connection.connection.setlimit(limited, 1500)
    yield
    connection.connection.setlimit(limited, before)


def test_more_points_than_a_query_takes_values(api, url, few_values_in_a_query):
    ids = [f"00000000-0000-4000-8000-{n:012x}" for n in range(1600)]
    points = [{"data": {"acc": 1}, "metricId": id_} for id_ in ids]
    for sent in (points[:-1], points):
        assert api.post(f"{url}/batch", {"values": [{**scalar(0), "value": sent}]}).status == 200
    assert MetricValue.objects.count() == len(ids)


def test_two_batches_that_widen_a_metric_at_once_both_do(api, url):
    def row(column):
        return {"name": "r", "columns": {column: "double"}, "value": [{"data": {column: 1}}]}

    def widen_it_after_it_was_read(execute, sql, params, many, context):
        done = execute(sql, params, many, context)
        if not others and '"runs_metric"' in sql:
            others.append(row("c"))
            assert api.post(f"{url}/batch", {"values": others}).status == 200
        return done

    others = []
    assert api.post(f"{url}/batch", {"values": [row("a")]}).status == 200
    with connection.execute_wrapper(widen_it_after_it_was_read):
        assert api.post(f"{url}/batch", {"values": [row("b")]}).status == 200
    full = api.post(f"{url}/full", {"metricName": "r"}).body
    assert set(full["columns"]) == {"a", "b", "c"}

"""Metrics of a run: batches in, names and values out (wire.md 9.7)."""

from uuid import UUID

from rest_framework.response import Response

from runs import services
from runs.api import odata
from runs.api.history import HistoryView
from runs.models import Metric, MetricValue
from runs.tracking import times
from runs.wire.history import number
from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import LONGEST, Body
from studio.core.rest.views import wire_time

LARGEST_PAGE = 1000
# Limits of one batch. The SDK sends at most 50 metrics; lists and tables have a point per row.
MOST_METRICS, MOST_POINTS = 1000, 50_000
FLOATS = ("double", "float")  # column types, in the SDK's words


class MetricBatch(HistoryView):
    """Appends points. A point that was sent before (same metricId) is not stored again."""

    def post(self, request, uuid, **scope):
        body = Body(request.data)
        run = self.run(uuid)
        rows, batch, errors = body.items("values"), [], []
        if len(rows) > MOST_METRICS:
            raise BadValue(f"A batch holds at most {MOST_METRICS} metrics.", target="values")
        for row in rows:
            try:
                batch.append(self.metric(Body(row, name="values")))
            except BadValue as error:
                if not body.flag("reportErrors", False):
                    raise
                errors.append(refused(row, error))
        if sum(len(metric["points"]) for metric in batch) > MOST_POINTS:
            raise BadValue(
                f"A batch holds at most {MOST_POINTS} points; a longer list can be logged in parts.",
                target="values",
            )
        services.log_metrics(self.actor, run, batch)
        return Response({"errors": errors})

    def metric(self, body: Body) -> dict:
        points = [Body(row, name="value") for row in body.items("value")]
        return {
            "name": body.name("name"),
            "columns": body.texts("columns"),
            "properties": body.mapping("properties"),
            "points": [
                {
                    "data": point.mapping("data"),
                    "step": step_of(point),
                    "point_uuid": uuid_of(point),
                    "created_at": time_of(point),
                }
                for point in points
            ],
        }


def refused(row: dict, error: BadValue) -> dict:
    """The error entry for a metric that cannot be stored; the client logs it."""
    name = row.get("name") if isinstance(row, dict) else None
    detail = {"code": error.code, "message": error.message, "target": error.target}
    return {"metric": {"name": str(name)}, "errorResponse": {"error": detail}}


def time_of(point: Body) -> str | None:
    text = point.text("createdUtc")
    try:
        return times.read_time(text).isoformat() if text else None
    except ValueError:
        raise BadValue(
            f"createdUtc must be a time, not {text!r:.80}.", target="createdUtc"
        ) from None


def uuid_of(point: Body) -> UUID | None:
    text = point.text("metricId")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise BadValue(f"{text!r:.80} is not the id of a point.", target="metricId") from None


def step_of(point: Body) -> int | None:
    step = point.get("step")
    if step is None:
        return None
    if isinstance(step, bool) or not isinstance(step, int) or abs(step) >= 2**63:
        raise BadValue("step must be a whole number of 64 bits.", target="step")
    return step


class MetricList(HistoryView):
    def post(self, request, uuid, **scope):
        Body(request.data)
        metrics = Metric.objects.filter(run=self.run(uuid)).order_by("pk")
        return Response({"value": [metric_key(row) for row in metrics], "continuationToken": None})


class MetricQuery(HistoryView):
    """The points of several runs' metrics, each as a row, for the SDK's notebook widgets."""

    def post(self, request, **scope):
        body = Body(request.data)
        rows = MetricValue.objects.filter(
            odata.parse(body.text("filter"), odata.METRIC_VALUES), metric__run__in=self.runs()
        ).select_related("metric__run")
        after = number(body.get("continuationToken"), "continuationToken") or 0
        page = list(rows.filter(pk__gt=after).order_by("pk")[: LARGEST_PAGE + 1])
        token = str(page[LARGEST_PAGE - 1].pk) if len(page) > LARGEST_PAGE else None
        found = [value_dto(row) for row in page[:LARGEST_PAGE]]
        return Response({"value": found, "continuationToken": token})


def value_dto(row: MetricValue) -> dict:
    """A point as the older metrics service showed it (RunMetricDto)."""
    metric = row.metric
    columns = [
        {"propertyId": name, "name": name, "type": kind} for name, kind in metric.columns.items()
    ]
    return {
        "runId": str(metric.run.uuid),
        "metricId": str(row.point_uuid),
        "metricType": metric.properties.get("uxMetricType"),
        "createdUtc": wire_time(row.created_at),
        "name": metric.name,
        "description": "",
        "label": None,
        "numCells": 1,
        "dataLocation": None,
        "cells": [row.data],
        "schema": {"numProperties": len(columns), "properties": columns},
    }


class MetricFull(HistoryView):
    def post(self, request, uuid, **scope):
        name = Body(request.data).text("metricName", longest=LONGEST)
        metric = Metric.objects.filter(run=self.run(uuid), name=name).select_related("run").first()
        if metric is None:
            raise NotFound(f"Run {uuid} has no metric {name!r}.")
        return Response(metric_dto(metric))


def metric_key(metric: Metric) -> dict:
    """One entry of `list` (wire.md 9.7)."""
    return {
        "metricKey": {"name": metric.name},
        "columns": metric.columns,
        "properties": metric.properties,
    }


def metric_dto(metric: Metric) -> dict:
    """The reply of `full`, with values in the order they were logged (wire.md 9.7)."""
    values = list(metric.values.all())
    return {
        "dataContainerId": metric.run.data_container_id,
        "name": metric.name,
        "columns": {
            name: "string" if kind.lower() in FLOATS and not _floats(name, values) else kind
            for name, kind in metric.columns.items()
        },
        "properties": metric.properties,
        "value": [
            {
                "metricId": str(value.point_uuid),
                "createdUtc": wire_time(value.created_at),
                "step": value.step,
                "data": {**dict.fromkeys(metric.columns), **value.data},
            }
            for value in values
        ],
        "continuationToken": None,
    }


def _floats(column: str, values: list[MetricValue]) -> bool:
    """Whether every value of the column can be converted to float. The client converts all values
    of a float column, and fails for all metrics of the run if one cannot be converted."""
    for value in values:
        try:
            float(value.data.get(column))
        except (TypeError, ValueError):
            return False
    return True

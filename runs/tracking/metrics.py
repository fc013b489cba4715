"""Writes metrics of a run. Does not check access: services and the worker have done so."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from runs.models import (
    Metric,
    MetricValue,
)
from runs.tracking.times import parse_time
from studio.core.db.transactions import write_transaction

AT_ONCE = 1000  # ids per query; SQLite allows 32,766 values (250,000 as built by Debian)


def add_metric(run_id: int, *, attempt: int | None = None, **metric: Any) -> None:
    """Append to one metric of a run; see `add_metrics`."""
    add_metrics(run_id, [metric], attempt=attempt)


def add_metrics(
    run_id: int, metrics: Iterable[Mapping[str, Any]], *, attempt: int | None = None
) -> None:
    """Append points to metrics of a run; creates metrics that do not exist.

    Each metric is `{"name", "points", "columns", "properties"}`, each point
    `{"data", "step", "point_uuid", "created_at"}`. A point whose uuid exists was sent twice and is
    ignored. The number of queries does not depend on the number of metrics.
    """
    merged = _by_name(metrics)
    rows = _rows(run_id, merged)
    _widen(rows, merged)
    sent = [
        uuid
        for one in merged.values()
        for point in one["points"]
        if (uuid := point.get("point_uuid"))
    ]
    of_these = MetricValue.objects.filter(metric__in=rows.values())
    known: set[tuple[int, UUID]] = set()
    for start in range(0, len(sent), AT_ONCE):
        there = of_these.filter(point_uuid__in=sent[start : start + AT_ONCE])
        known.update(there.values_list("metric_id", "point_uuid"))
    values = []
    for name, one in merged.items():
        for point in one["points"]:
            uuid = point.get("point_uuid") or uuid4()
            if (rows[name].pk, uuid) not in known:
                known.add((rows[name].pk, uuid))
                values.append(
                    MetricValue(
                        metric=rows[name],
                        point_uuid=uuid,
                        step=point.get("step"),
                        data=point["data"],
                        attempt=attempt,
                        created_at=parse_time(point.get("created_at")),
                    )
                )
    MetricValue.objects.bulk_create(values)


def _by_name(metrics: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {}
    for metric in metrics:
        empty: dict[str, Any] = {
            "columns": {},
            "points": [],
            "properties": metric.get("properties") or {},
        }
        one = merged.setdefault(metric["name"], empty)
        one["columns"] |= metric.get("columns") or {}
        one["points"] += metric["points"]
    return merged


def _rows(run_id: int, merged: Mapping[str, Mapping[str, Any]]) -> dict[str, Metric]:
    """The rows of these metrics, by name; creates the missing ones."""
    named = Metric.objects.filter(run_id=run_id, name__in=merged)
    rows = {row.name: row for row in named}
    absent = [
        Metric(run_id=run_id, name=name, columns=one["columns"], properties=one["properties"])
        for name, one in merged.items()
        if name not in rows
    ]
    if absent:
        # Another process may create one of them meanwhile.
        Metric.objects.bulk_create(absent, ignore_conflicts=True)
        rows = {row.name: row for row in named.all()}
    return rows


def _widen(rows: Mapping[str, Metric], merged: Mapping[str, Mapping[str, Any]]) -> None:
    """Add new columns to existing metrics."""
    named = [
        row.pk
        for name, row in rows.items()
        if not merged[name]["columns"].keys() <= row.columns.keys()
    ]
    if named:
        with write_transaction():
            # Read again with a lock: another batch may add columns at the same time.
            wider = list(Metric.objects.select_for_update().filter(pk__in=named).order_by("pk"))
            for row in wider:
                row.columns |= merged[row.name]["columns"]
            Metric.objects.bulk_update(wider, ["columns"])

"""Writing what is known about a run: tags, properties, metrics, artifacts. No access is checked here;
services and the worker, which have checked, come through these."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from endpoints.roots import storing
from runs import storage
from runs.model_files import ModelFiles
from runs.models import Artifact, Metric, MetricValue, Run, RunAttribute
from studio.core.writing import write_transaction

VALUE_LENGTH = 255
AT_ONCE = 1000  # ids in a query: SQLite takes 250,000 values as Debian builds it, elsewhere 32,766


def merge(
    run_id: int,
    *,
    tags: Mapping | None = None,
    remove_tags: Sequence[str] = (),
    properties: Mapping | None = None,
    **columns,
) -> None:
    """Merge tags and properties into those there are, and set plain `columns`."""
    with write_transaction():
        # Read and written back, so two writers must not do it at once.
        run = Run.objects.select_for_update().only("tags", "properties").get(pk=run_id)
        changes = {**columns, "updated_at": timezone.now()}
        if tags or remove_tags:
            merged = {**run.tags, **(tags or {})}
            changes["tags"] = {k: v for k, v in merged.items() if k not in remove_tags}
            _index_tags(run_id, changes["tags"], touched={*(tags or {}), *remove_tags})
        if properties:
            changes["properties"] = {**run.properties, **properties}
        Run.objects.filter(pk=run_id).update(**changes)


def _index_tags(run_id: int, tags: Mapping, *, touched: set[str]) -> None:
    RunAttribute.objects.filter(run_id=run_id, kind="tag", key__in=touched).delete()
    RunAttribute.objects.bulk_create(
        attribute(run_id, "tag", key, tags[key]) for key in touched if key in tags
    )


def attribute(run_id: int, kind: str, key: str, value) -> RunAttribute:
    return RunAttribute(
        run_id=run_id, kind=kind, key=str(key)[:VALUE_LENGTH], value=str(value)[:VALUE_LENGTH]
    )


def add_metric(run_id: int, **metric) -> None:
    """Append to one metric of a run; see `add_metrics`."""
    add_metrics(run_id, [metric])


def add_metrics(run_id: int, metrics: Iterable[Mapping]) -> None:
    """Append to metrics of a run, `{"name", "points", "columns", "properties"}` each, of which the first
    point makes one. Points are `{"data", "step", "point_uuid", "created_at"}`.

    A point whose uuid is there already was sent twice and is kept once. However many metrics, they
    cost the queries of one.
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
                        created_at=parse_time(point.get("created_at")),
                    )
                )
    MetricValue.objects.bulk_create(values)


def _by_name(metrics: Iterable[Mapping]) -> dict[str, dict]:
    merged: dict[str, dict] = {}
    for metric in metrics:
        empty = {"columns": {}, "points": [], "properties": metric.get("properties") or {}}
        one = merged.setdefault(metric["name"], empty)
        one["columns"] |= metric.get("columns") or {}
        one["points"] += metric["points"]
    return merged


def _rows(run_id: int, merged: Mapping[str, Mapping]) -> dict[str, Metric]:
    """The metrics of these names; those that are not there are made."""
    named = Metric.objects.filter(run_id=run_id, name__in=merged)
    rows = {row.name: row for row in named}
    absent = [
        Metric(run_id=run_id, name=name, columns=one["columns"], properties=one["properties"])
        for name, one in merged.items()
        if name not in rows
    ]
    if absent:
        # Somebody may make one of them meanwhile.
        Metric.objects.bulk_create(absent, ignore_conflicts=True)
        rows = {row.name: row for row in named.all()}
    return rows


def _widen(rows: Mapping[str, Metric], merged: Mapping[str, Mapping]) -> None:
    """Add the columns that are new to their metrics."""
    named = [
        row.pk
        for name, row in rows.items()
        if not merged[name]["columns"].keys() <= row.columns.keys()
    ]
    if named:
        with write_transaction():
            # Read again: another batch may add some at the same time.
            wider = list(Metric.objects.select_for_update().filter(pk__in=named).order_by("pk"))
            for row in wider:
                row.columns |= merged[row.name]["columns"]
            Metric.objects.bulk_update(wider, ["columns"])


def keep_file(run: Run, path: str, source: Path, *, models: ModelFiles | None = None) -> str:
    """`add_artifact`, unless the file is one of the run's registered `models`: why it was not kept."""
    path = storage.checked_path(path)
    refusal = (models or ModelFiles(run)).why_not(path, source)
    if refusal is None:
        add_artifact(run.pk, run.uuid, path, source)
    return refusal or ""


def add_artifact(run_id: int, run_uuid: UUID, path: str, source: Path) -> Artifact:
    """Keep a copy of a local file as an artifact of a run; a second one of its path replaces it."""
    path = storage.checked_path(path)
    blob = storage.artifact_blob(run_uuid, path)
    with source.open("rb"), storing(path):  # a file that cannot be read is no matter of the storage
        size = storage.put_file(blob, source)
    return note_artifact(run_id, path=path, blob=blob, size=size)


def note_artifact(run_id: int, *, path: str, blob: str, size: int) -> Artifact:
    artifact, _ = Artifact.objects.update_or_create(
        run_id=run_id,
        path=path,
        defaults={"blob": blob, "size": size, "created_at": timezone.now()},
    )
    return artifact


def parse_time(text: str | None) -> datetime:
    """A time of the wire; now where there is none or it cannot be read."""
    try:
        return read_time(text or "")
    except ValueError:
        return timezone.now()


def read_time(text: str) -> datetime:
    """In UTC, which all of them are without a zone; ValueError says that it cannot be read."""
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(f"{text!r} is no time")
    try:
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError as error:  # before the year 1 or after 9999, there
        raise ValueError(f"{text!r} is outside of the calendar") from error

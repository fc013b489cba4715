"""Writing what is known about a run: tags, properties, metrics, artifacts. No access is checked here;
services and the worker, which have checked, come through these."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from endpoints.services import withdraw_datasets
from runs import storage
from runs.models import (
    Artifact,
    Asset,
    Kind,
    Metric,
    MetricValue,
    RegisteredModel,
    Run,
    RunAttribute,
    StepAttempt,
)
from runs.states import CLAIMED, Status
from runs.tracking.model_files import ModelFiles
from studio.core.db.transactions import write_transaction
from studio.storage.roots import storing

VALUE_LENGTH = 255


class Superseded(Exception):
    """The attempt that says this is not its step's any more."""


@dataclass(frozen=True)
class Author:
    """The attempt of a step that says something, of its own run or another."""

    step_id: int
    attempt: int


def lock(author: Author, *run_ids: int) -> int | None:
    """The key of an attempt's row, for facts of `run_ids` that this transaction writes. Until it has,
    nobody takes the step over; None if somebody has."""
    number = StepAttempt.objects.filter(step=OuterRef("pk"), number=author.attempt)
    # From the top down, as they are canceled: two who wait for each other would wait for ever.
    rows = Run.objects.select_for_update(no_key=True).filter(pk__in={author.step_id, *run_ids})
    held = rows.annotate(attempt_id=Subquery(number.values("pk"))).order_by("pk")
    for pk, attempt, status, key in held.values_list("pk", "attempt", "status", "attempt_id"):
        if pk == author.step_id and attempt == author.attempt and status in CLAIMED:
            return int(key)
    return None


AT_ONCE = 1000  # ids in a query: SQLite takes 250,000 values as Debian builds it, elsewhere 32,766


def merge(
    run_id: int,
    *,
    tags: Mapping[str, Any] | None = None,
    remove_tags: Sequence[str] = (),
    properties: Mapping[str, Any] | None = None,
    attempt: int | None = None,
    **columns: Any,
) -> None:
    """Merge tags and properties into those there are, and set plain `columns`. For an `attempt`, what
    was there before is kept with it."""
    with write_transaction():
        # Read and written back, so two writers must not do it at once.
        run = Run.objects.select_for_update().only("tags", "properties", *columns).get(pk=run_id)
        if attempt is not None:
            told = {"tags": {**(tags or {}), **dict.fromkeys(remove_tags)}}
            _remember(attempt, run, {**told, "properties": properties or {}, "columns": columns})
        changes = {**columns, "updated_at": timezone.now()}
        if tags or remove_tags:
            merged = {**run.tags, **(tags or {})}
            changes["tags"] = {k: v for k, v in merged.items() if k not in remove_tags}
            _index_tags(run_id, changes["tags"], touched={*(tags or {}), *remove_tags})
        if properties:
            changes["properties"] = {**run.properties, **properties}
        Run.objects.filter(pk=run_id).update(**changes)


def _remember(attempt: int, run: Run, told: Mapping[str, Mapping[str, Any]]) -> None:
    """Per key, `[before, now]`: before is what was there when the attempt first changed it."""
    replaced = StepAttempt.objects.values_list("replaced", flat=True).get(pk=attempt)
    of_run = replaced.setdefault(str(run.pk), {})
    columns = {key: getattr(run, key) for key in told["columns"]}
    before = {"tags": run.tags, "properties": run.properties, "columns": columns}
    for kind, values in told.items():
        known = of_run.setdefault(kind, {})
        for key, value in values.items():
            known[key] = [known[key][0] if key in known else before[kind].get(key), value]
    StepAttempt.objects.filter(pk=attempt).update(replaced=replaced)


def runs_of(step: Run) -> tuple[list[int], int | None]:
    """The keys of the runs that are a step's own, to which a script's belongs, and of the one above."""
    if step.owner.kind == Kind.SCRIPT:
        return [step.pk, step.owner_id], step.owner.parent_id
    return [step.pk], step.owner_id


def withdraw(step_id: int, number: int) -> list[str]:
    """Take back what an attempt said that another one will say again; its log stays. Returns the blobs
    of its artifacts, to be removed when that is written.

    Nobody but its attempts measures and uploads in a step's own run; in the run above it, it is told
    whose each value is."""
    step = Run.objects.only("parent", "workspace").select_related("parent").get(pk=step_id)
    attempt = StepAttempt.objects.only("replaced", "started_at").get(step_id=step_id, number=number)
    own, above = runs_of(step)
    told = Q(attempt=attempt.pk)
    MetricValue.objects.filter(Q(metric__run__in=own) | Q(metric__run=above) & told).delete()
    Metric.objects.filter(run__in=[*own, above], values=None).delete()
    left = Artifact.objects.filter(Q(run__in=own) | Q(run=above) & told)
    blobs = list(left.values_list("blob", flat=True))
    left.delete()
    # What was registered meanwhile is made of these files.
    made = {"run__in": own, "created_at__gte": attempt.started_at}
    RegisteredModel.objects.filter(**made).delete()
    Asset.objects.filter(**made, registered_models=None).delete()
    uuids = Run.objects.filter(pk__in=own).values_list("uuid", flat=True)
    withdraw_datasets(step.workspace_id, [f"{uuid}.{number}" for uuid in uuids])
    for run_id, replaced in attempt.replaced.items():
        _put_back(int(run_id), replaced)
    for child in Run.objects.filter(parent__in=own, kind=Kind.CHILD, attempt=number):
        blobs += _withdraw_child(child)
    return blobs


def _put_back(run_id: int, replaced: Mapping[str, Mapping[str, Any]]) -> None:
    """What somebody else has changed since stays."""
    run = Run.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        return
    back: dict[str, dict[str, Any]] = {"tags": {}, "properties": {}}
    gone: dict[str, list[Any]] = {"tags": [], "properties": []}
    for kind, restored in back.items():
        for key, (before, now) in replaced.get(kind, {}).items():
            if getattr(run, kind).get(key) != now:
                continue
            if before is None:
                gone[kind].append(key)
            else:
                restored[key] = before
    columns = {
        key: before
        for key, (before, now) in replaced.get("columns", {}).items()
        if getattr(run, key) == now
    }
    kept = {key: run.properties[key] for key in run.properties if key not in gone["properties"]}
    Run.objects.filter(pk=run_id).update(properties={**kept, **back["properties"]})
    merge(run_id, tags=back["tags"], remove_tags=gone["tags"], **columns)


def _withdraw_child(child: Run) -> list[str]:
    """A run that the attempt began. What it submitted below that was accepted, and stays."""
    below = Run.objects.filter(pk__in=Run.objects.below(child))
    if below.exclude(kind=Kind.CHILD).exists():
        error = "The attempt that had begun it was lost."
        Run.objects.move(
            child.pk, to=Status.FAILED, reason=error, error=error, error_code="AttemptLost"
        )
        return []
    blobs = list(Artifact.objects.filter(run__in=below).values_list("blob", flat=True))
    child.delete()
    return blobs


def _index_tags(run_id: int, tags: Mapping[str, Any], *, touched: set[str]) -> None:
    RunAttribute.objects.filter(run_id=run_id, kind="tag", key__in=touched).delete()
    RunAttribute.objects.bulk_create(
        attribute(run_id, "tag", key, tags[key]) for key in touched if key in tags
    )


def attribute(run_id: int, kind: str, key: str, value: object) -> RunAttribute:
    return RunAttribute(
        run_id=run_id, kind=kind, key=str(key)[:VALUE_LENGTH], value=str(value)[:VALUE_LENGTH]
    )


def add_metric(run_id: int, *, attempt: int | None = None, **metric: Any) -> None:
    """Append to one metric of a run; see `add_metrics`."""
    add_metrics(run_id, [metric], attempt=attempt)


def add_metrics(
    run_id: int, metrics: Iterable[Mapping[str, Any]], *, attempt: int | None = None
) -> None:
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


def _widen(rows: Mapping[str, Metric], merged: Mapping[str, Mapping[str, Any]]) -> None:
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


def keep_file(
    run: Run, path: str, source: Path, *, author: Author, models: ModelFiles | None = None
) -> str:
    """`add_artifact`, unless the file is one of the run's registered `models`: why it was not kept."""
    path = storage.checked_path(path)
    refusal = (models or ModelFiles(run)).why_not(path, source)
    if refusal is None:
        add_artifact(run.pk, run.uuid, path, source, author=author)
    return refusal or ""


def add_artifact(
    run_id: int, run_uuid: UUID, path: str, source: Path, *, author: Author | None = None
) -> Artifact:
    """Keep a copy of a local file as an artifact of a run; a second one of its path replaces it."""
    path = storage.checked_path(path)
    blob = blob_of(run_uuid, path, author)
    with source.open("rb"), storing(path):  # a file that cannot be read is no matter of the storage
        size = storage.put_file(blob, source)
    with write_transaction():
        attempt = lock(author, run_id) if author else None
        if author is None or attempt is not None:
            return note_artifact(run_id, path=path, blob=blob, size=size, attempt=attempt)
    raise Superseded


def blob_of(run_uuid: UUID, path: str, author: Author | None = None) -> str:
    """Where an artifact is kept."""
    return f"{folder_of(run_uuid, author)}/{storage.checked_path(path)}"


def folder_of(run_uuid: UUID, author: Author | None = None) -> str:
    """Attempts of a step have a place each, so that a lost one which still writes reaches no other."""
    place = f"{author.step_id}.{author.attempt}" if author else ""
    return storage.artifact_folder(run_uuid, place=place)


def kept_at(run_uuid: UUID, path: str) -> str:
    """Where an artifact is, or would be for whoever is no step."""
    kept = Artifact.objects.filter(run__uuid=run_uuid, path=storage.checked_path(path))
    return kept.values_list("blob", flat=True).first() or blob_of(run_uuid, path)


def note_artifact(
    run_id: int, *, path: str, blob: str, size: int, attempt: int | None = None
) -> Artifact:
    if attempt is not None:  # others write to the place where the file is
        _remove_replaced(run_id, path=path, blob=blob)
    artifact, _ = Artifact.objects.update_or_create(
        run_id=run_id,
        path=path,
        defaults={
            "blob": blob,
            "size": size,
            "attempt": attempt,
            "created_at": timezone.now(),
        },
    )
    return artifact


def _remove_replaced(run_id: int, *, path: str, blob: str) -> None:
    """Of two steps that upload a file of one name to the run above them, the last one's is kept."""
    replaced = Artifact.objects.filter(run=run_id, path=path).exclude(blob=blob)
    gone = list(replaced.values_list("blob", flat=True))
    if gone:
        transaction.on_commit(partial(storage.remove_blobs, gone), robust=True)


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

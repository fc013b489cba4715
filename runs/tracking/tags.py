"""Writes tags, properties, name and description of a run. Does not check access: services and the worker
have done so."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from runs.models import (
    Run,
    RunAttribute,
    StepAttempt,
)
from studio.core.db.transactions import write_transaction

VALUE_LENGTH = 255


def merge(
    run_id: int,
    *,
    tags: Mapping[str, Any] | None = None,
    remove_tags: Sequence[str] = (),
    properties: Mapping[str, Any] | None = None,
    attempt: int | None = None,
    **columns: Any,
) -> None:
    """Merge tags and properties into the existing ones, and set `columns`. For an `attempt`, also record the
    previous values, so that they can be restored if the attempt is lost."""
    with write_transaction():
        # Locked, because the merged JSON is written back.
        run = Run.objects.select_for_update().only("tags", "properties", *columns).get(pk=run_id)
        if attempt is not None:
            given = {"tags": {**(tags or {}), **dict.fromkeys(remove_tags)}}
            _record_replaced(
                attempt, run, {**given, "properties": properties or {}, "columns": columns}
            )
        changes = {**columns, "updated_at": timezone.now()}
        if tags or remove_tags:
            merged = {**run.tags, **(tags or {})}
            changes["tags"] = {k: v for k, v in merged.items() if k not in remove_tags}
            _index_tags(run_id, changes["tags"], touched={*(tags or {}), *remove_tags})
        if properties:
            changes["properties"] = {**run.properties, **properties}
        Run.objects.filter(pk=run_id).update(**changes)


def _record_replaced(attempt: int, run: Run, given: Mapping[str, Mapping[str, Any]]) -> None:
    """Record `[before, now]` per key; `before` is the value before the attempt's first change."""
    replaced = StepAttempt.objects.values_list("replaced", flat=True).get(pk=attempt)
    of_run = replaced.setdefault(str(run.pk), {})
    columns = {key: getattr(run, key) for key in given["columns"]}
    before = {"tags": run.tags, "properties": run.properties, "columns": columns}
    for kind, values in given.items():
        known = of_run.setdefault(kind, {})
        for key, value in values.items():
            known[key] = [known[key][0] if key in known else before[kind].get(key), value]
    StepAttempt.objects.filter(pk=attempt).update(replaced=replaced)


def _index_tags(run_id: int, tags: Mapping[str, Any], *, touched: set[str]) -> None:
    RunAttribute.objects.filter(run_id=run_id, kind="tag", key__in=touched).delete()
    RunAttribute.objects.bulk_create(
        attribute(run_id, "tag", key, tags[key]) for key in touched if key in tags
    )


def attribute(run_id: int, kind: str, key: str, value: object) -> RunAttribute:
    return RunAttribute(
        run_id=run_id, kind=kind, key=str(key)[:VALUE_LENGTH], value=str(value)[:VALUE_LENGTH]
    )


def texts(given: Mapping[str, Any] | None) -> dict[str, str]:
    """Tags or properties as they are stored: nothing but texts."""
    return {str(key): "" if value is None else str(value) for key, value in (given or {}).items()}

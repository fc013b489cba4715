"""Writing tags, properties, name and description of a run. No access is checked here: services and the worker have done so."""

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
    """Merge tags and properties into those there are, and set plain `columns`. For an `attempt`, what
    was there before is kept with it."""
    with write_transaction():
        # Read and written back, so two writers must not do it at once.
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
    """Per key, `[before, now]`: before is what was there when the attempt first changed it."""
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

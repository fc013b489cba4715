"""Removes what a lost attempt has recorded, and restores what it has replaced."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from endpoints.services import withdraw_datasets
from runs import script_runs
from runs.models import (
    Artifact,
    Asset,
    Kind,
    Metric,
    MetricValue,
    RegisteredModel,
    ReplacedArtifact,
    Run,
    StepAttempt,
)
from runs.states import Status
from runs.tracking import replaced_artifacts
from runs.tracking.model_files import ModelFiles
from runs.tracking.tags import merge


def runs_of(step: Run) -> tuple[list[int], int | None]:
    """The keys of the step's own runs (the step and the run its script knows), and of their parent."""
    known = script_runs.known_run(step)
    return list({step.pk, known.pk}), known.parent_id


def lock(step_id: int) -> None:
    """Lock the runs on which an attempt reports, before the step itself is written. From the top down, as
    whoever reports on them does, to avoid deadlocks."""
    step = Run.objects.only("kind", "parent").get(pk=step_id)
    own, above = runs_of(step)
    runs = Run.objects.select_for_update(no_key=True).filter(pk__in=[*own, above])
    list(runs.order_by("pk").values_list("pk"))


def withdraw(step_id: int, number: int) -> list[str]:
    """Remove what an attempt recorded, because the next attempt will record it again. Keeps its log, and
    files that somebody else registered as a model. Returns the blobs of the removed artifacts; delete
    them after the commit."""
    step = Run.objects.only("parent", "workspace").select_related("parent").get(pk=step_id)
    attempt = StepAttempt.objects.only("replaced").get(step_id=step_id, number=number)
    own, above = runs_of(step)
    runs = [*own, *filter(None, [above])]
    MetricValue.objects.filter(metric__run__in=runs, attempt=attempt.pk).delete()
    Metric.objects.filter(run__in=runs, values=None).delete()
    RegisteredModel.objects.filter(attempt=attempt.pk).delete()
    Asset.objects.filter(attempt=attempt.pk, registered_models=None).delete()
    left = Artifact.objects.filter(run__in=runs, attempt=attempt.pk)
    for run in Run.objects.filter(pk__in=runs):
        for path, _ in ModelFiles(run).models:
            of_model = Q(path=path) | Q(path__startswith=f"{path}/")
            left = left.exclude(of_model, run=run)
    blobs = list(left.values_list("blob", flat=True))
    replaced_artifacts.restore(attempt.pk, left)
    uuids = Run.objects.filter(pk__in=own).values_list("uuid", flat=True)
    withdraw_datasets(step.workspace_id, [f"{uuid}.{number}" for uuid in uuids])
    for run_id, replaced in attempt.replaced.items():
        _restore(int(run_id), replaced)
    for child in Run.objects.filter(parent__in=own, kind=Kind.CHILD, attempt=number):
        blobs += _withdraw_child(child)
    return blobs


def _restore(run_id: int, replaced: Mapping[str, Mapping[str, Any]]) -> None:
    """Restore the values from before the attempt, except those that somebody else has changed since."""
    run = Run.objects.select_for_update(no_key=True).filter(pk=run_id).first()
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
    left = {key: run.properties[key] for key in run.properties if key not in gone["properties"]}
    Run.objects.filter(pk=run_id).update(properties={**left, **back["properties"]})
    merge(run_id, tags=back["tags"], remove_tags=gone["tags"], **columns)


def _withdraw_child(child: Run) -> list[str]:
    """Delete a child run that the attempt began; returns the blobs of its artifacts. If it has submitted
    pipelines, or somebody else stored files or metrics in it or registered a model from it, keep it and
    mark it as failed."""
    below = Run.objects.filter(pk__in=Run.objects.below(child))
    if (
        below.filter(~Q(kind=Kind.CHILD) | Q(assets__registered_models__isnull=False)).exists()
        or Artifact.objects.filter(run__in=below, attempt=None).exists()
        or MetricValue.objects.filter(metric__run__in=below, attempt=None).exists()
    ):
        error = "The attempt that had begun it was lost."
        Run.objects.transition(
            child.pk, to=Status.FAILED, reason=error, error=error, error_code="AttemptLost"
        )
        return []
    files = [model.objects.filter(run__in=below) for model in (Artifact, ReplacedArtifact)]
    blobs = [blob for of_model in files for blob in of_model.values_list("blob", flat=True)]
    child.delete()
    return blobs

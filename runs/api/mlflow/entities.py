"""Experiments and runs as MLflow shows them."""

from collections import defaultdict
from urllib.parse import urlsplit

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from runs.api.mlflow.base import milliseconds
from runs.models import Experiment, Metric, MetricValue, Run
from runs.services import PARAM
from runs.states import Status

STATUSES: dict[str, str] = {
    Status.NOT_STARTED: "SCHEDULED",
    Status.QUEUED: "SCHEDULED",
    Status.PREPARING: "SCHEDULED",
    Status.COMPLETED: "FINISHED",
    Status.FAILED: "FAILED",
    Status.CANCELED: "KILLED",
    Status.SKIPPED: "KILLED",
}  # any other is RUNNING
# MLflow's tags that are columns here.
RUN_NAME, PARENT, NOTE = "mlflow.runName", "mlflow.parentRunId", "mlflow.note.content"
# Orders the values of a metric as MLflow does, to find the last one.
LAST = (Coalesce("step", 0).desc(), "-created_at", "-pk")
SPECIAL = ("NaN", "Infinity", "-Infinity")


def experiment(row: Experiment, base: str) -> dict:
    return {
        "experiment_id": str(row.uuid),
        "name": row.name,
        "artifact_location": f"{_place(row, base)}/experiments/{row.name}",
        "lifecycle_stage": "deleted" if row.archived_at else "active",
        "creation_time": milliseconds(row.created_at),
        "last_update_time": milliseconds(row.archived_at or row.created_at),
        "tags": _pairs(row.tags),
    }


def runs(rows: list[Run], base: str) -> list[dict]:
    """Runs with their params, tags and the last value of each metric."""
    metrics = last_values(rows)
    return [
        {"info": run_info(row, base), "data": {**_data(row), "metrics": metrics[row.pk]}}
        for row in rows
    ]


def run_info(row: Run, base: str) -> dict:
    return {
        "run_id": str(row.uuid),
        "run_uuid": str(row.uuid),
        "run_name": str(row),
        "experiment_id": str(row.experiment.uuid),
        "user_id": row.submitted_by,
        "status": STATUSES.get(row.status, "RUNNING"),
        "start_time": milliseconds(row.started_at or row.created_at),
        **({"end_time": milliseconds(row.finished_at)} if row.finished_at else {}),
        "artifact_uri": f"{_place(row, base)}/experiments/{row.experiment.name}/runs/{row.uuid}"
        "/artifacts",
        "lifecycle_stage": "active",
    }


def _place(row, base: str) -> str:
    host = urlsplit(base).netloc
    return f"azureml://{host}/mlflow/v2.0{row.workspace.scope}"


def _data(row: Run) -> dict:
    params = {
        key.removeprefix(PARAM): value
        for key, value in row.properties.items()
        if key.startswith(PARAM)
    }
    tags = {**row.tags, RUN_NAME: str(row)}
    if row.description:
        tags[NOTE] = row.description
    if row.parent_id:
        tags[PARENT] = str(row.parent.uuid)
    return {"params": _pairs(params), "tags": _pairs(tags)}


def _pairs(values: dict) -> list[dict]:
    return [{"key": key, "value": value} for key, value in values.items()]


def last_values(rows: list[Run]) -> dict[int, list[dict]]:
    """The last values by the run's id."""
    ends = MetricValue.objects.filter(metric=OuterRef("pk")).order_by(*LAST).values("pk")[:1]
    metrics = Metric.objects.filter(run__in=rows).annotate(last=Subquery(ends))
    values = MetricValue.objects.filter(pk__in=metrics.values("last"))
    found = defaultdict(list)
    for value in values.select_related("metric").order_by("metric_id"):
        if (number := scalar(value)) is not None:
            found[value.metric.run_id].append(number)
    return found


def scalar(value: MetricValue) -> dict | None:
    """The number of a metric that has one column of its own name; MLflow has no tables, images or
    texts."""
    name = value.metric.name
    number = value.data.get(name)
    if isinstance(number, bool) or not (isinstance(number, int | float) or number in SPECIAL):
        return None
    return {
        "key": name,
        "value": number,
        "timestamp": milliseconds(value.created_at),
        "step": value.step or 0,
    }

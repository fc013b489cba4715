"""The tabs Metrics and Images of a run's page."""

from collections.abc import Iterable

from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from runs.models import Metric, MetricValue, Run
from runs.parts import visible_runs
from runs.views import charts, pages
from studio.core.ui.files import is_image

SHOWN_VALUES = 20_000  # of all metrics of a run
SHOWN_ROWS = 100  # in one metric's table


@require_safe
def metrics(request, uuid):
    run = visible_runs.find_whole(request, uuid)
    page = pages.context(request, run, "run-metrics") | _tables(run)
    return render(request, "runs/run_metrics.html", page)


@require_safe
def images(request, uuid):
    run = visible_runs.find_whole(request, uuid)
    logged = [file for file in _files(run) if is_image(file["value"])]
    page = pages.context(request, run, "run-images") | {"images": logged}
    return render(request, "runs/run_images.html", page)


def _tables(run: Run) -> dict:
    """Scalars and files of all steps in one table; other metrics each with a chart or table."""
    found: dict = {"scalars": [], "series": []}
    for row, points in _measured(run, of_files=False):
        columns = list(row.columns) or list(points[0] if points else {})
        if len(columns) == 1 and len(points) == 1:
            found["scalars"].append(
                {"name": row.name, "step": row.run, "value": points[0].get(columns[0])}
            )
        elif points:
            found["series"].append(_series(row, columns, points))
    # Accuracy tables, predictions, residuals and confusion matrices are documents that the SDK
    # stores as files.
    found["scalars"] += [file for file in _files(run) if not is_image(file["value"])]
    return found


def _measured(run: Run, *, of_files: bool) -> list[tuple[Metric, list[dict]]]:
    """Metrics of a run and its steps with their points: either those that are files, or the
    others."""
    rows = Metric.objects.filter(run__in=Run.objects.below(run)).select_related("run")
    wanted = [
        row
        for row in rows.order_by("run", "id")
        if ("Artifact" in row.columns.values()) == of_files
    ]
    points: dict[int, list[dict]] = {row.pk: [] for row in wanted}
    for value in MetricValue.objects.filter(metric__in=wanted)[:SHOWN_VALUES]:
        points[value.metric_id].append(value.data)
    return [(row, points[row.pk]) for row in wanted]


def _series(row: Metric, columns: list[str], points: list[dict]) -> dict:
    return {
        "name": row.name,
        "step": row.run,
        "columns": columns,
        "rows": [[point.get(column, "") for column in columns] for point in points[:SHOWN_ROWS]],
        "count": len(points),
        "is_cut": len(points) > SHOWN_ROWS,
        "charts": charts.of_columns(columns, points),
    }


def _files(run: Run) -> Iterable[dict]:
    """Each metric that is a file, with its path and address."""
    for row, points in _measured(run, of_files=True):
        for point in points:
            for column, kind in row.columns.items():
                owner, path = _artifact(str(point.get(column, "")) if kind == "Artifact" else "")
                if owner == str(row.run.uuid) and (address := _address(owner, path)):
                    yield {"name": row.name, "step": row.run, "value": path, "url": address}


def _artifact(reference: str) -> tuple[str, str]:
    """The run's id and the path in `aml://artifactId/ExperimentRun/dcid.<run>/<path>`."""
    owner, _slash, path = reference.partition("/dcid.")[2].partition("/")
    return owner, path


def _address(owner: str, path: str) -> str:
    try:
        return reverse("runs:run-file", args=[owner, path]) if path else ""
    except NoReverseMatch:
        return ""

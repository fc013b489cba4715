"""Parameters, metrics and files of a run, as its tabs print them."""

import json
from collections.abc import Iterable

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from endpoints import blueprints, data
from endpoints.models import Datastore
from endpoints.parameters import datapath_text
from runs import sealing
from runs.models import Artifact, Kind, Metric, MetricValue, Run
from runs.views import charts
from studio.core import file_names as names
from studio.core.errors import Refused
from studio.core.ui.files import is_image

ORIGINS = {
    "Default": _("Default of the pipeline"),
    "Caller": _("Given by the caller"),
    "Schedule": _("Given by the schedule"),
}
SHOWN_VALUES = 20_000  # of all metrics of a run
SHOWN_ROWS = 100  # in one metric's table
SHOWN_FILES = 200


# --- parameters ------------------------------------------------------------------------------------
def parameters(run: Run) -> list[dict]:
    """Every parameter with its value in the run, and where that came from."""
    made = run.pipeline_run
    declared = blueprints.load(made.graph.uuid).parameters
    values = sealing.shown(made.parameters)
    names = dict.fromkeys([*declared, *values, *made.datasets, *made.datapaths])
    return [
        {
            "name": name,
            "value": _value(made, values, name),
            "kind": declared[name].kind if name in declared else _("not declared"),
            "default": _default(declared.get(name)),
            "origin": ORIGINS.get(origin := made.provenance.get(name, ""), origin),
            "is_given": origin not in ("", "Default"),
        }
        for name in names
    ]


def _value(made, values: dict, name: str) -> str:
    if name in made.datapaths:
        return datapath_text(made.datapaths[name])
    if name in made.datasets:
        return json.dumps(made.datasets[name], ensure_ascii=False)
    return values.get(name, "")


def _default(parameter) -> str:
    if parameter is None:
        return ""
    if parameter.secret:
        return sealing.MASK
    if not parameter.default or parameter.is_scalar:
        return parameter.default_text
    return parameter.default_text or json.dumps(dict(parameter.default), ensure_ascii=False)


# --- metrics ---------------------------------------------------------------------------------------
def metrics(run: Run) -> dict:
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


def images(run: Run) -> list[dict]:
    """Logged images, each with its address."""
    return [file for file in _files(run) if is_image(file["value"])]


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


# --- files -----------------------------------------------------------------------------------------
def folders(run: Run, steps: list[Run]) -> list[dict]:
    """The files of the run and of each step; a reused step shows those of the original."""
    owners = {
        part.pk: (part.kind == Kind.STEP and part.step.reused_from_id) or part.pk for part in steps
    }
    kept: dict[int, list[Artifact]] = {}
    rows = Artifact.objects.filter(run__in={run.pk, *owners.values()}).order_by("path")
    for row in rows[: SHOWN_FILES * 5]:
        kept.setdefault(row.run_id, []).append(row)
    return [
        {"run": part, "files": [_file(part, row) for row in kept[owners.get(part.pk, part.pk)]]}
        for part in [run, *steps]
        if owners.get(part.pk, part.pk) in kept
    ]


def _file(part: Run, row: Artifact) -> dict:
    return {
        "path": names.shown(row.path),
        "size": row.size,
        "at": row.created_at,
        "url": reverse("runs:run-file", args=[part.uuid, row.path]),
        "is_image": is_image(row.path),
    }


def data_of(run: Run, step: Run) -> list[dict]:
    """The outputs of a step with their files, as far as the datastore answers."""
    return [
        {"name": name, "place": place, "files": _listing(run, step, name, place)}
        for name, place in sorted(step.step.outputs.items())
    ]


def _listing(run: Run, step: Run, name: str, place: dict) -> list[dict]:
    try:
        output = data.locate(run.workspace, place["datastore"], place["path"])
        entries = output.listing(SHOWN_FILES) if output.is_folder() else []
    except (Refused, Datastore.DoesNotExist, OSError):
        return []
    top = reverse("runs:run-data", args=[step.uuid, name])
    return [
        {
            "path": names.shown(path := entry.path.removeprefix(f"{output.path}/")),
            "size": entry.size,
            "url": f"{top}/{names.quoted(path)}",
        }
        for entry in entries
    ]


def snapshots(run: Run) -> list[dict]:
    """The code that the steps ran: each snapshot once, with its steps."""
    blueprint = blueprints.load(run.pipeline_run.graph.uuid)
    found: dict = {}
    for node_id, module in blueprint.modules.items():
        if module.snapshot is not None:
            entry = found.setdefault(module.snapshot.pk, {"row": module.snapshot, "steps": []})
            entry["steps"].append(blueprint.graph.nodes[node_id].name)
    for entry in found.values():
        entry["files"] = [
            {
                "path": names.shown(path),
                "size": held.get("size", 0),
                "url": reverse("runs:run-code", args=[run.uuid, f"{entry['row'].uuid}/{path}"]),
            }
            for path, held in sorted(entry["row"].files.items())
        ]
    return list(found.values())


# --- everything ------------------------------------------------------------------------------------
def document(run: Run) -> dict:
    """The run as one JSON document, with secrets masked."""
    found = {
        "id": str(run.uuid),
        "kind": run.kind,
        "displayName": run.display_name,
        "description": run.description,
        "experiment": run.experiment.name,
        "number": run.number,
        "status": run.status,
        "parentId": str(run.parent.uuid) if run.parent else None,
        "submittedBy": run.submitted_by,
        "created": run.created_at.isoformat(),
        "started": run.started_at and run.started_at.isoformat(),
        "finished": run.finished_at and run.finished_at.isoformat(),
        "error": run.error,
        "tags": run.tags,
        "properties": run.properties,
    }
    return found | _submission(run) if run.kind == Kind.PIPELINE else found


def _submission(run: Run) -> dict:
    made = run.pipeline_run
    return {
        "pipelineId": str(run.pipeline.uuid) if run.pipeline else None,
        "pipelineEndpointId": str(run.endpoint.uuid) if run.endpoint else None,
        "pipelineVersion": run.endpoint_version,
        "source": made.source,
        "runSource": made.run_source,
        "runType": made.run_type,
        "parameters": sealing.shown(made.parameters),
        "datasets": made.datasets,
        "dataPaths": made.datapaths,
        "provenance": made.provenance,
        "warnings": made.warnings,
        "continueOnStepFailure": made.continue_on_step_failure,
        "regenerateOutputs": made.regenerate_outputs,
        "timeoutSeconds": made.timeout_seconds,
        "request": made.raw_request,
    }


def as_json(run: Run) -> str:
    return json.dumps(document(run), indent=2, ensure_ascii=False)

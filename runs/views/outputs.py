"""The tab Outputs + logs of a run's page: a log, and the files that the run and its steps stored."""

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from endpoints import data
from endpoints.models import Datastore
from runs.models import Artifact, Kind, Run
from runs.parts import visible_runs
from runs.views import log_files, logs, pages
from studio.core import file_names
from studio.core.errors import Refused
from studio.core.ui.files import is_image

SHOWN_FILES = 200  # of each output; of all artifacts of a page, five times as many
SHOWN_CHILDREN = 200


@require_safe
def outputs(request, uuid):
    """The run itself can be chosen like a step; its log is the execution log."""
    run = visible_runs.find_whole(request, uuid)
    page = pages.context(request, run, "run-outputs")
    if run.kind in visible_runs.TRACKED:
        page["folders"] = _artifacts_of(run, list(run.children.order_by("pk")[:SHOWN_CHILDREN]))
        if log_files.log_names(run):
            page |= {"log": logs.pane(request, run), "current": run}
        return render(request, "runs/run_outputs.html", page)
    if request.GET.get("step") == str(run.uuid):
        page |= {"current": run, "log": logs.pane(request, run)}
    elif (current := pages.chosen(page["steps"])) is not None:
        page |= {"current": current, "log": logs.pane(request, current)}
        page["data"] = _data_of(run, current)
    page["folders"] = _artifacts_of(run, page["steps"])
    return render(request, "runs/run_outputs.html", page)


def _artifacts_of(run: Run, steps: list[Run]) -> list[dict]:
    """The files of the run and of each step; a reused step shows those of the original."""
    owners = {
        part.pk: (part.kind == Kind.STEP and part.step.reused_from_id) or part.pk for part in steps
    }
    artifacts: dict[int, list[Artifact]] = {}
    rows = Artifact.objects.filter(run__in={run.pk, *owners.values()}).order_by("path")
    for row in rows[: SHOWN_FILES * 5]:
        artifacts.setdefault(row.run_id, []).append(row)
    return [
        {
            "run": part,
            "files": [_file(part, row) for row in artifacts[owners.get(part.pk, part.pk)]],
        }
        for part in [run, *steps]
        if owners.get(part.pk, part.pk) in artifacts
    ]


def _file(part: Run, row: Artifact) -> dict:
    return {
        "path": file_names.shown(row.path),
        "size": row.size,
        "at": row.created_at,
        "url": reverse("runs:run-file", args=[part.uuid, row.path]),
        "is_image": is_image(row.path),
    }


def _data_of(run: Run, step: Run) -> list[dict]:
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
            "path": file_names.shown(path := entry.path.removeprefix(f"{output.path}/")),
            "size": entry.size,
            "url": f"{top}/{file_names.quoted(path)}",
        }
        for entry in entries
    ]

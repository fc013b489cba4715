"""The Snapshot tab of a run's page: the code that its steps ran."""

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from endpoints import blueprints
from runs.models import Run
from runs.parts import visible_runs
from runs.views import pages
from studio.core import file_names


@require_safe
def snapshot(request, uuid):
    run = visible_runs.find_run(request, uuid)
    page = pages.context(request, run, "run-snapshot") | {"snapshots": _snapshots(run)}
    return render(request, "runs/run_snapshot.html", page)


def _snapshots(run: Run) -> list[dict]:
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
                "path": file_names.shown(path),
                "size": file.get("size", 0),
                "url": reverse("runs:run-code", args=[run.uuid, f"{entry['row'].uuid}/{path}"]),
            }
            for path, file in sorted(entry["row"].files.items())
        ]
    return list(found.values())

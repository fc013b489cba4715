"""The page of a run without a graph: a script's own, or one made below another."""

from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from runs.models import Run
from runs.parts import visible_runs
from runs.views import pages
from runs.wire import document
from studio.core.db.keyset import paginate
from studio.core.ui.paging import place

SHOWN = 200  # child runs on the overview


def overview(request, uuid):
    run = visible_runs.find_whole(request, uuid)
    page = pages.context(request, run, "run-detail")
    page |= {"timeline": list(run.status_changes.order_by("pk")), "raw": document.as_json(run)}
    return render(request, "runs/run_details.html", page)


@require_safe
def children(request, uuid):
    """The runs that a script made below its own. For a pipeline run these are steps: redirects to
    them."""
    run = visible_runs.find_whole(request, uuid)
    if run.kind not in visible_runs.TRACKED:
        return redirect("runs:run-steps", uuid=run.uuid)
    page = pages.context(request, run, "run-children")
    page["children"] = paginate(visible_runs.below(run), **place(request.GET))
    return render(request, "runs/tracked_children.html", page)


def children_of(run: Run) -> list[Run]:
    return list(visible_runs.below(run).order_by("-pk")[:SHOWN])

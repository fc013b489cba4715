"""The page of a run: its graph and the tabs beside it."""

from urllib.parse import urlencode

from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from runs.models import Kind, Run
from runs.parts import visible_runs
from runs.views import client_runs, logs, pages, panel, tree
from runs.wire import document

WIDE = 1000  # wider graphs get the full width of the page, to stay legible
PARTS = {"step", "file", "line", "attempt"}  # parameters of the log beside the graph


@require_safe
def graph(request, uuid):
    """The graph with one step beside it. The id of a step leads to its place in its run."""
    run = visible_runs.find_any(request, uuid)
    if run.kind == Kind.STEP:
        return _to_its_run(request, run)
    if run.kind != Kind.PIPELINE:
        return client_runs.overview(request, uuid)
    run = visible_runs.find_run(request, uuid)
    page = pages.context(request, run, "run-detail")
    current = pages.chosen(page["steps"])
    page |= {
        "outline": tree.outline(page["steps"]),
        "profile": tree.profile(run, page["steps"]),
        "current": current,
        "asked": request.GET.get("step", ""),
    }
    page["graph"] = tree.graph(run, page["steps"])
    page["is_wide"] = page["graph"]["width"] > WIDE
    page["graph_url"] = pages.live_url(run, "graph", step=current and current.uuid)
    page["side_url"] = pages.live_url(run, "side", step=current and current.uuid)
    if current is not None:
        page |= panel.panel(run, page["steps"], current) | {"log": logs.pane(request, current)}
    return render(request, "runs/run_detail.html", page)


def _to_its_run(request, step: Run):
    """Redirect from a step to its pipeline run, at the requested line of its log."""
    kept = {key: value for key, value in request.GET.items() if key in PARTS}
    query = urlencode({"step": step.uuid} | kept)
    return redirect(f"{reverse('runs:run-detail', args=[step.parent.uuid])}?{query}")


@require_safe
def steps(request, uuid):
    run = visible_runs.find_run(request, uuid)
    page = pages.context(request, run, "run-steps")
    page["steps_url"] = pages.live_url(run, "steps")
    return render(request, "runs/run_steps.html", page)


@require_safe
def details(request, uuid):
    run = visible_runs.find_run(request, uuid)
    page = pages.context(request, run, "run-details")
    page |= {"timeline": list(run.status_changes.order_by("pk")), "raw": document.as_json(run)}
    page["children"] = client_runs.children_of(run)
    page["original"] = Run.objects.filter(pipeline_run__resubmissions=run.pk).first()
    return render(request, "runs/run_details.html", page)


@require_safe
def raw(request, uuid):
    run = visible_runs.find_whole(request, uuid)
    return JsonResponse(document.of(run), json_dumps_params={"indent": 2, "ensure_ascii": False})

"""The page of a run: its graph and the tabs beside it."""

from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_safe

from runs.models import Kind, Run
from runs.states import Status
from runs.views import facts, logs, panel, scope, tree

WIDE = 1000  # a graph of more than this gets the width of the page, to stay legible
TABS = {
    "run-detail": gettext_lazy("Graph"),
    "run-steps": gettext_lazy("Steps"),
    "run-outputs": gettext_lazy("Outputs + logs"),
    "run-metrics": gettext_lazy("Metrics"),
    "run-images": gettext_lazy("Images"),
    "run-parameters": gettext_lazy("Parameters"),
    "run-snapshot": gettext_lazy("Snapshot"),
    "run-details": gettext_lazy("Details"),
}


def context(request, run: Run, tab: str) -> dict:
    """What every tab shows: the heading, the commands, the strips and the steps."""
    steps = tree.steps_of(run, request.GET.get("step", ""))
    return {
        "nav": "pipelines",
        "run": run,
        "tabs": tabs(run, tab, len(steps)),
        "steps": steps,
        "failed": failure(run, steps),
        "warnings": run.pipeline_run.warnings,
        "live_url": live_url(run, "heading", shown=run.status),
    }


def tabs(run: Run, current: str, count: int) -> list[dict]:
    return [
        {
            "label": label,
            "url": reverse(f"runs:{name}", args=[run.uuid]),
            "current": name == current,
            "count": count if name == "run-steps" else None,
        }
        for name, label in TABS.items()
    ]


def live_url(run: Run, part: str, **query) -> str:
    """Where a part of the page asks for its next state; nowhere once the run is over."""
    if run.is_terminal:
        return ""
    address = reverse("runs:run-live", args=[run.uuid, part])
    given = "&".join(f"{key}={value}" for key, value in query.items() if value)
    return f"{address}?{given}" if given else address


def failure(run: Run, steps: list[Run]) -> dict | None:
    """The red strip: the step that failed first, what it said last, where its log is."""
    if run.status != Status.FAILED and not any(step.status == Status.FAILED for step in steps):
        return None
    step = tree.first_failed(steps)
    said = [line for line in (step.error if step else run.error).splitlines() if line.strip()]
    return {"step": step, "message": said[-1].strip() if said else "", "run_error": run.error}


@require_GET
def graph(request, uuid):
    """The graph with one step beside it. The id of a step leads to its place in its run."""
    run = scope.find_any(request, uuid)
    if run.kind != Kind.PIPELINE:
        return _to_pipeline_run(run)
    run = scope.find_run(request, uuid)
    page = context(request, run, "run-detail")
    current = chosen(request, page["steps"])
    page |= {
        "outline": tree.outline(page["steps"]),
        "profile": tree.profile(run, page["steps"]),
        "current": current,
        "asked": request.GET.get("step", ""),
    }
    page["graph"] = tree.graph(run, page["steps"])
    page["is_wide"] = page["graph"]["width"] > WIDE
    page["graph_url"] = live_url(run, "graph", step=current and current.uuid)
    page["side_url"] = live_url(run, "side", step=current and current.uuid)
    if current is not None:
        page |= panel.panel(run, page["steps"], current) | {"log": logs.pane(request, current)}
    return render(request, "runs/run_detail.html", page)


def _to_pipeline_run(run: Run):
    """A step, or a run that a step made below itself, is shown in the pipeline run it is part of."""
    step = run
    while step is not None and step.kind != Kind.STEP:
        step = step.parent
    if step is None or step.parent is None:
        raise Http404
    return redirect(f"{step.parent.get_absolute_url()}?step={step.uuid}")


def chosen(request, steps: list[Run]) -> Run | None:
    """The step asked for, else the one that is most worth reading; it is marked as current."""
    current = next((step for step in steps if step.is_current), None) or tree.default_step(steps)
    if current is not None:
        current.is_current = True
    return current


@require_GET
def steps(request, uuid):
    run = scope.find_run(request, uuid)
    page = context(request, run, "run-steps")
    page["steps_url"] = live_url(run, "steps")
    return render(request, "runs/run_steps.html", page)


@require_GET
def outputs(request, uuid):
    run = scope.find_run(request, uuid)
    page = context(request, run, "run-outputs")
    current = chosen(request, page["steps"])
    page |= {"current": current, "folders": facts.folders(run, page["steps"])}
    if current is not None:
        page |= {"log": logs.pane(request, current), "data": facts.data_of(run, current)}
    return render(request, "runs/run_outputs.html", page)


@require_GET
def metrics(request, uuid):
    run = scope.find_run(request, uuid)
    page = context(request, run, "run-metrics") | facts.metrics(run)
    return render(request, "runs/run_metrics.html", page)


@require_GET
def images(request, uuid):
    run = scope.find_run(request, uuid)
    page = context(request, run, "run-images") | {"images": facts.images(run)}
    return render(request, "runs/run_images.html", page)


@require_GET
def parameters(request, uuid):
    run = scope.find_run(request, uuid)
    page = context(request, run, "run-parameters") | {"rows": facts.parameters(run)}
    return render(request, "runs/run_parameters.html", page)


@require_GET
def snapshot(request, uuid):
    run = scope.find_run(request, uuid)
    page = context(request, run, "run-snapshot") | {"snapshots": facts.snapshots(run)}
    return render(request, "runs/run_snapshot.html", page)


@require_GET
def details(request, uuid):
    run = scope.find_run(request, uuid)
    page = context(request, run, "run-details")
    page |= {"timeline": list(run.status_changes.order_by("pk")), "raw": facts.as_json(run)}
    page["original"] = Run.objects.filter(pipeline_run__resubmissions=run.pk).first()
    return render(request, "runs/run_details.html", page)


@require_safe
def raw(request, uuid):
    run = scope.find_run(request, uuid)
    return JsonResponse(facts.document(run), json_dumps_params={"indent": 2, "ensure_ascii": False})

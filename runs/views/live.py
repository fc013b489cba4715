"""Parts of a run's page that are polled while the run lives; the last answer stops the polling."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from runs.models import Kind
from runs.parts import visible_runs
from runs.views import fragments, pages, panel, tree
from studio.core.ui.fragments import private


@require_safe
@fragments.of_run
def part(request, uuid, part):
    shape = PARTS.get(part)
    if shape is None:
        raise Http404
    run = visible_runs.find_whole(request, uuid)
    is_tracked = run.kind in visible_runs.TRACKED
    if is_tracked and part != "heading":
        raise Http404
    steps = [] if is_tracked else tree.steps_of(run, request.GET.get("step", ""))
    page = {"run": run, "steps": steps}
    page |= shape(request, run, page["steps"])
    return private(render(request, f"runs/_{part}.html", page))


def _heading(request, run, steps) -> dict:
    """The heading. Commands and notices are only sent if they differ from those on the page."""
    found = pages.strips(run, steps)
    shown = (request.GET.get("shown", ""), request.GET.get("waits", ""))
    return found | {
        "is_changed": shown != (run.status, ",".join(found["unserved"])),
        "warnings": run.pipeline_run.warnings if run.kind == Kind.PIPELINE else [],
    }


def _graph(request, run, steps) -> dict:
    url = pages.live_url(run, "graph", step=_asked(steps))
    return {"graph": tree.graph(run, steps), "graph_url": url}


def _side(request, run, steps) -> dict:
    current = pages.chosen(steps)
    found = panel.panel(run, steps, current) if current else {}
    return found | {
        "current": current,
        "outline": tree.outline(steps),
        "profile": tree.profile(run, steps),
        "side_url": pages.live_url(run, "side", step=_asked(steps)),
        "is_fragment": True,
    }


def _steps(request, run, steps) -> dict:
    return {"steps_url": pages.live_url(run, "steps")}


def _asked(steps) -> str:
    return next((str(step.uuid) for step in steps if step.is_current), "")


PARTS = {"heading": _heading, "graph": _graph, "side": _side, "steps": _steps}

"""Home: what failed, what is running and due soon, whether there are workers, and what to do
next."""

from typing import Any

from django.shortcuts import render
from django.views.decorators.http import require_safe

from endpoints.models import ComputeTarget, PipelineEndpoint
from runs.models import Worker
from runs.parts import catalogue, timetable, visible_runs
from runs.serving import living_workers, serving, tell_unserved
from runs.states import Status
from studio.core.ui import fragments

NEWEST, FAILED, LIVE = 8, 5, 20


@require_safe
def home(request):
    context = {"nav": "home"} | _now(request) | _start(request)
    context["favourites"] = catalogue.favourites_of(request.actor)
    return render(request, "home.html", context)


@require_safe
def running(request):
    """The part of Home that is polled: runs and workers."""
    return fragments.private(render(request, "home/_now.html", _now(request)))


def _now(request) -> dict:
    runs = visible_runs.listed(request)
    live = list(runs.live().order_by("-pk")[: LIVE + 1])
    newest = list(runs.order_by("-pk")[:NEWEST])
    tell_unserved(live, newest)
    return {
        "live": live[:LIVE],
        "has_more_live": len(live) > LIVE,
        "newest": newest,
        "failed": list(runs.filter(status=Status.FAILED).order_by("-pk")[:FAILED]),
        "coming": timetable.coming(request),
        "workers": _workers(),
        "queues": _queues(request.actor.workspace),
        "poll_seconds": 3 if live else 15,
    }


def _workers() -> list[Worker]:
    """Workers that respond, and those that have recently fallen silent, with the word for that."""
    heard = set(Worker.objects.responding().values_list("pk", flat=True))
    rows: list[Any] = list(Worker.objects.filter(role="worker").order_by("-heartbeat_at")[:10])
    for row in rows:
        word = "Stopping" if row.stopping_at else "Online"
        row.state = word if row.pk in heard else "Offline"
    return rows


def _queues(workspace) -> list[str]:
    """Compute targets that no living worker serves."""
    workers = living_workers()
    rows = ComputeTarget.objects.filter(workspace=workspace).order_by("name")
    return [name for name in rows.values_list("name", flat=True) if not serving(name, workers)]


def _start(request) -> dict:
    """For a newcomer: an endpoint to try, and how to call it from elsewhere."""
    rows = PipelineEndpoint.objects.filter(workspace=request.actor.workspace, status="Active")
    sample = rows.filter(default_version__isnull=False).order_by("name").first()
    base = request.build_absolute_uri("/").rstrip("/")
    return {"sample": sample, "curl": sample and CURL % {"base": base, "name": sample.name}}


CURL = """\
curl -X POST %(base)s/endpoints/%(name)s/submit \\
  -H 'Authorization: Bearer <token>' \\
  -H 'Content-Type: application/json' \\
  -d '{"ExperimentName": "first-try"}'"""

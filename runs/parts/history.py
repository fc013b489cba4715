"""What runs say about an endpoint or a pipeline: last run, success rate, and the Runs tab."""

from datetime import timedelta
from statistics import quantiles
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from runs import filters
from runs.models import Run
from runs.parts import visible_runs
from runs.parts.scatter import scatter
from runs.serving import tell_unserved
from runs.states import Status
from studio.core.ui.paging import place
from studio.core.ui.templatetags.studio import shown

WINDOW = timedelta(days=30)
SAMPLE = 1000  # durations come from so many of the newest runs
RECENT = 200  # the newest runs, which tiles and chart show
COUNTED = 10_000  # counting stops here, so that a total stays cheap
# Filters by their name in the address; together they are all runs.
TILES: dict[str, tuple[Any, list[Status]]] = {
    "running": (_("Running"), [Status.RUNNING]),
    "completed": (_("Completed"), [Status.COMPLETED]),
    "failed": (_("Failed"), [Status.FAILED]),
    "other": (
        _("Other"),
        [
            status
            for status in Status
            if status not in (Status.RUNNING, Status.COMPLETED, Status.FAILED, Status.SKIPPED)
        ],
    ),
}


def statistics(**of) -> dict:
    """Total and last run, success and duration of the last 30 days. `of` filters runs."""
    runs = Run.objects.filter(**of)
    recent = list(
        runs.filter(created_at__gte=timezone.now() - WINDOW, finished_at__isnull=False)
        .order_by("-pk")
        .values_list("status", "started_at", "finished_at")[:SAMPLE]
    )
    decided = [row[0] for row in recent if row[0] in (Status.COMPLETED, Status.FAILED)]
    seconds = [(end - start).total_seconds() for _status, start, end in recent if start]
    middle, high = _quantiles(seconds)
    completed = decided.count(Status.COMPLETED)
    return {
        "total": total_text(runs.order_by()[: COUNTED + 1].count()),
        "last_run": runs.order_by("-pk").first(),
        "success": f"{completed * 100 // len(decided)}%" if decided else "",
        "completed": completed,
        "decided": len(decided),
        "p50": middle,
        "p95": high,
    }


def total_text(counted: int) -> str:
    return f"{COUNTED}+" if counted > COUNTED else str(counted)


def _quantiles(seconds: list[float]) -> tuple[float | None, float | None]:
    if not seconds:
        return None, None
    if len(seconds) == 1:
        return seconds[0], seconds[0]
    cuts = quantiles(seconds, n=20, method="inclusive")
    return cuts[9], cuts[18]


def tab(request, **of) -> dict:
    """The context of a Runs tab: tiles, chart and one page of the table."""
    chosen = request.GET.get("status", "")
    chosen = chosen if chosen in TILES else ""
    runs = visible_runs.listed(request).filter(**of)
    newest = list(
        Run.objects.filter(**of)
        .order_by("-pk")
        .only("uuid", "status", "name", "display_name", "started_at", "finished_at")[:RECENT]
    )
    page = filters.page(runs, TILES[chosen][1] if chosen else (), **place(request.GET))
    tell_unserved(page)
    live = any(not run.is_terminal for run in [*page, *newest])
    return {
        "page": page,
        "poll_url": request.get_full_path() if live else "",
        "chosen_status": chosen,
        "tiles": _tiles(newest, chosen),
        "is_cut": len(newest) == RECENT,
        "recent": len(newest),
        "durations": _durations(newest),
    }


def _tiles(newest: list[Run], chosen: str) -> list[dict]:
    return [
        {
            "key": key,
            "label": label,
            "count": sum(run.status in statuses for run in newest),
            "current": key == chosen,
            "states": [status.label for status in statuses] if key == "other" else [],
        }
        for key, (label, statuses) in TILES.items()
    ]


def _durations(newest: list[Run]) -> dict | None:
    """The chart of runs that have started, oldest first, with the same data for a table."""
    runs = [run for run in reversed(newest) if run.started_at]
    if not runs:
        return None
    drawn = scatter([(run.started_at, run.duration_seconds) for run in runs])
    middle, high = _quantiles([run.duration_seconds for run in runs if run.finished_at])
    return {
        "points": [
            {"run": run, "x": x, "y": y} for run, (x, y) in zip(runs, drawn.points, strict=True)
        ],
        "ticks": [{"y": y, "seconds": seconds} for y, seconds in drawn.ticks],
        "first": shown(runs[0].started_at),
        "last": shown(max(run.started_at for run in runs)),
        "p50": middle,
        "p95": high,
    }

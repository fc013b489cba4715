"""What runs say about an endpoint or a pipeline: its last run, its success, and the table of them."""

from datetime import timedelta
from statistics import quantiles

from django.utils import timezone

from runs.models import Run
from runs.states import Status
from runs.views import scope
from runs.views.lists import place
from studio.core.keyset import paginate

WINDOW = timedelta(days=30)
SAMPLE = 1000  # the newest runs that durations are read from
COUNTED = 10_000  # counting stops here: a total costs the same after a year of runs


def statistics(**of) -> dict:
    """Total and last run, and success and duration over the last 30 days. `of` filters runs."""
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


def table(request, **of) -> dict:
    """The context of a table of runs: one page, and where to ask again while one of them lives."""
    page = paginate(scope.listed(request).filter(**of), **place(request.GET))
    live = any(not run.is_terminal for run in page)
    return {"page": page, "poll_url": request.get_full_path() if live else ""}

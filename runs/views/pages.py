"""What all tabs of a run's page share: heading, tabs, notices, the runs above."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy

from runs.models import Run
from runs.parts import visible_runs
from runs.serving import unserved
from runs.states import Status
from runs.views import tree

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
# Tabs of a run without a graph.
TRACKED_TABS = {
    "run-detail": gettext_lazy("Details"),
    "run-metrics": gettext_lazy("Metrics"),
    "run-outputs": gettext_lazy("Outputs + logs"),
    "run-images": gettext_lazy("Images"),
    "run-children": gettext_lazy("Child runs"),
}


def context(request, run: Run, tab: str) -> dict:
    if run.kind in visible_runs.TRACKED:
        counts = {"run-children": visible_runs.below(run).count()}
        special: dict = {"tabs": _tabs(run, TRACKED_TABS, tab, counts), "steps": []}
    else:
        steps = tree.steps_of(run, request.GET.get("step", ""))
        special = {
            "tabs": _tabs(run, TABS, tab, {"run-steps": len(steps)}),
            "steps": steps,
            "warnings": run.pipeline_run.warnings,
        }
    heading = {"nav": "pipelines", "run": run, "above": _above(run)}
    return special | heading | strips(run, special["steps"])


def strips(run: Run, steps: list[Run]) -> dict:
    """Notices above the tabs, and where to poll for changes of them."""
    waits = unserved([run]).get(run.pk, [])
    return {
        "failed": failure(run, steps),
        "unserved": waits,
        "live_url": live_url(run, "heading", shown=run.status, waits=",".join(waits)),
    }


def _tabs(run: Run, tabs: dict, current: str, counts: dict[str, int]) -> list[dict]:
    return [
        {
            "label": label,
            "url": reverse(f"runs:{name}", args=[run.uuid]),
            "current": name == current,
            "count": counts.get(name),
        }
        for name, label in tabs.items()
    ]


def _above(run: Run) -> list[Run]:
    """The runs above, outermost first."""
    if run.parent_id is None:
        return []
    rows = {row.pk: row for row in Run.objects.above(run.parent_id)}
    found: list[Run] = []
    key: int | None = run.parent_id
    while key is not None:
        found.insert(0, rows[key])
        key = rows[key].parent_id
    return found


def live_url(run: Run, part: str, **query) -> str:
    """Where a part of the page is polled; nowhere once the run is over."""
    if run.is_terminal:
        return ""
    address = reverse("runs:run-live", args=[run.uuid, part])
    given = urlencode({key: value for key, value in query.items() if value})
    return f"{address}?{given}" if given else address


def failure(run: Run, steps: list[Run]) -> dict | None:
    """The red notice: the step that failed first, its last message, where its log is."""
    if run.status != Status.FAILED and not any(step.status == Status.FAILED for step in steps):
        return None
    step = tree.first_failed(steps)
    said = [line for line in (step.error if step else run.error).splitlines() if line.strip()]
    return {"step": step, "message": said[-1].strip() if said else "", "run_error": run.error}


def chosen(steps: list[Run]) -> Run | None:
    """The requested step, else the one most worth reading; it is marked as current."""
    current = next((step for step in steps if step.is_current), None) or tree.default_step(steps)
    if current is not None:
        current.is_current = True
    return current

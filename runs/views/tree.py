"""The steps of a run as pages draw them: outline, graph, profile. One query each."""

from functools import lru_cache
from itertools import pairwise

from django.urls import reverse
from django.utils import timezone

from endpoints import blueprints
from endpoints.graph.layout import Layout, layout
from runs.models import Kind, Run, StatusChange
from runs.states import TERMINAL, Status
from studio.core.ui.drawing import laid_out
from studio.core.ui.templatetags.studio import duration

UNPRINTED = (
    *("tags", "properties", "description", "step__fingerprint_parts"),
    *("step__inputs", "step__outputs", "step__warnings"),
)


def steps_of(run: Run, current: str = "") -> list[Run]:
    """The steps in the order of the graph, each with its address and whether it is current."""
    rows = Run.objects.filter(parent=run, kind=Kind.STEP).select_related("step").defer(*UNPRINTED)
    steps = list(rows.order_by("number"))
    for step in steps:
        step.url = f"{reverse('runs:run-detail', args=[run.uuid])}?step={step.uuid}"
        step.is_current = str(step.uuid) == current
        step.is_reused = step.step.reused_from_id is not None
    return steps


def first_failed(steps: list[Run]) -> Run | None:
    failed = [step for step in steps if step.status == Status.FAILED]
    return min(failed, key=lambda step: step.finished_at, default=None)


def default_step(steps: list[Run]) -> Run | None:
    """The step most worth reading: a failed one, else a running one, else the last one."""
    going = [step for step in steps if step.started_at and not step.is_terminal]
    done = [step for step in steps if step.started_at]
    last = max(done, key=lambda step: step.started_at, default=None)
    return first_failed(steps) or (going[0] if going else last or (steps[0] if steps else None))


def outline(steps: list[Run]) -> list[dict]:
    return [
        {
            "name": str(step),
            "status": step.status,
            "reused": step.is_reused,
            "duration": duration(step.duration_seconds),
            "url": step.url,
            "current": step.is_current,
        }
        for step in steps
    ]


def graph(run: Run, steps: list[Run]) -> dict:
    """The drawing: positions come from the graph, which never changes, colours from the present
    states."""
    drawn = blueprints.load(run.pipeline_run.graph.uuid).graph
    facts = {
        node.id: {"name": node.name, "sub": "", "kind": "dataset", "url": ""}
        for node in drawn.datasets.values()
    }
    of_node = {step.step.node_id: step for step in steps}
    for node in drawn.nodes.values():
        facts[node.id] = {
            "name": node.name,
            "sub": node.script or node.module.name,
            "kind": "step",
        } | _state(of_node.get(node.id))
    return laid_out(_layout(run.pipeline_run.graph.uuid), facts)


def _state(step: Run | None) -> dict:
    if step is None:
        return {}
    return {
        "url": step.url,
        "state": str(step.status),
        "reused": step.is_reused,
        "duration": duration(step.duration_seconds) if step.started_at else "",
        "current": step.is_current,
    }


@lru_cache(maxsize=256)
def _layout(graph_uuid) -> Layout:
    drawn = blueprints.load(graph_uuid).graph
    edges = [(edge.source, edge.target) for edge in drawn.edges]
    return layout([*drawn.datasets, *drawn.nodes], edges)


def profile(run: Run, steps: list[Run]) -> list[dict]:
    """A bar per step: how long it was in each state, in percent of the run's time."""
    moves: dict[int, list[StatusChange]] = {}
    changes = StatusChange.objects.filter(run__parent=run, run__kind=Kind.STEP).order_by("pk")
    for change in changes:
        moves.setdefault(change.run_id, []).append(change)
    now = timezone.now()
    span = ((run.finished_at or now) - run.created_at).total_seconds() or 1.0
    return [
        {
            "name": str(step),
            "duration": duration(step.duration_seconds),
            "parts": list(_parts(run, step, moves.get(step.pk, []), now, span)),
        }
        for step in steps
    ]


def _parts(run: Run, step: Run, moves: list[StatusChange], now, span: float):
    ends = [(move.to_status, move.at) for move in moves] + [("", step.finished_at or now)]
    for (status, start), (_next, end) in pairwise(ends):
        if status in TERMINAL or status == Status.NOT_STARTED or end <= start:
            continue
        done = status == Status.RUNNING and step.is_terminal
        yield {
            "state": str(step.status if done else status),
            "start": _percent((start - run.created_at).total_seconds(), span),
            "width": _percent(max((end - start).total_seconds(), span / 200), span),
        }


def _percent(seconds: float, span: float) -> str:
    """With a decimal point in every language, because it is an attribute of a drawing."""
    return f"{min(max(100 * seconds / span, 0), 100):.2f}"

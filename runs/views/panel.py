"""A step beside the graph: its state, why it waits or how it ended, its attempts, its data."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from endpoints.models import SavedDataset
from runs.engine import worker_names
from runs.engine.retry import LOST_LIMIT
from runs.models import Outcome, Run, StepAttempt, Worker
from runs.parts import visible_runs
from runs.querysets import LOST
from runs.serving import living_workers, serving
from runs.states import IN_PROGRESS, TERMINAL, Status
from studio.core.ui.templatetags.studio import clock, shown

CHILDREN = 20  # the newest child runs of a step's script


def panel(run: Run, steps: list[Run], current: Run) -> dict:
    """The context of `_step.html` for `current`, one of the `steps` of `run`."""
    row = (
        Run.objects.select_related("step__reused_from__run__parent", "step__module")
        .prefetch_related("step__attempts")
        .get(pk=current.pk)
    )
    row.is_reused = current.is_reused
    return {
        "step": row,
        "attempts": sorted(row.step.attempts.all(), key=lambda attempt: -attempt.number),
        "waiting": waiting(row, steps),
        "held_by": about_its_worker(row),
        "error": row.error.strip(),
        "children": list(visible_runs.below(row).order_by("-pk")[:CHILDREN]),
        "inputs": _places(run, row.step.inputs, steps),
        "outputs": _places(run, row.step.outputs, steps),
        "reused_from": row.step.reused_from.run if row.step.reused_from else None,
    }


def waiting(step: Run, steps: list[Run]) -> str:
    """The sentence about a step that has not begun: what must happen first, and how to bring it
    about."""
    if step.status == Status.NOT_STARTED:
        needed = [
            str(other)
            for other in steps
            if other.step.node_id in step.step.needs and other.status not in TERMINAL
        ]
        return _("Waiting for %(steps)s.") % {"steps": ", ".join(needed)} if needed else ""
    if step.status != Status.QUEUED:
        return ""
    if step.step.not_before and step.step.not_before > timezone.now():
        return _("Its next attempt starts at %(at)s.") % {"at": shown(step.step.not_before)}
    if workers := serving(step.target, living_workers()):
        slots = sum(worker.slots for worker in workers)
        return _("Waiting for one of the %(slots)d slots of queue %(queue)s.") % {
            "slots": slots,
            "queue": step.target,
        }
    return _(
        "Waiting for a worker of queue %(queue)s: none is running; start one with"
        " `uv run manage.py worker --queues %(queue)s`."
    ) % {"queue": step.target}


def about_its_worker(step: Run) -> dict[str, str]:
    """The notice about a step whose worker is stopping or silent: a state, and what happens next."""
    attempts = list(step.step.attempts.all())
    held = [attempt for attempt in attempts if attempt.finished_at is None]
    if step.status not in IN_PROGRESS or not held:
        return {}
    heard = Worker.objects.responding().filter(pk=OuterRef("pk"))
    named: Any = Worker.objects.filter(name=held[0].worker).annotate(is_heard=Exists(heard))
    worker = named.first()
    if worker is None:
        return {}
    if not worker.is_heard and step.status == Status.NOT_RESPONDING:
        return {"state": "NotResponding", "text": _silence(worker, attempts)}
    if worker.is_heard and worker.stopping_at:
        text = _(
            "Its worker is stopping. If the step does not end within seconds, it is interrupted"
            " and queued again; this uses up no retry."
        )
        return {"state": "Stopping", "text": text}
    return {}


def _silence(worker: Worker, attempts: list[StepAttempt]) -> str:
    lost = sum(attempt.outcome == Outcome.LOST for attempt in attempts)
    if lost + 1 >= LOST_LIMIT and not worker_names.is_there(worker.name):
        text = _(
            "Worker %(worker)s has been silent since %(since)s. If it stays silent, the step fails"
            " after %(at)s, because an earlier attempt has lost its worker, too."
        )
    else:
        text = _(
            "Worker %(worker)s has been silent since %(since)s. If it stays silent, the step is"
            " queued again for another worker after %(at)s."
        )
    return text % {
        "worker": worker.name,
        "since": clock(worker.heartbeat_at),
        "at": clock(worker.heartbeat_at + LOST),
    }


def _places(run: Run, ports: dict, steps: list[Run]) -> list[dict]:
    names = {step.step.node_id: str(step) for step in steps}
    ids = {name: place.get("saved") or place.get("registered") for name, place in ports.items()}
    saved = [uuid for uuid in ids.values() if uuid]
    datasets = {}
    if saved:
        rows = SavedDataset.objects.filter(workspace=run.workspace_id, uuid__in=saved)
        datasets = {str(row.uuid): row for row in rows}
    return [
        {
            "name": name,
            "datastore": place.get("datastore", ""),
            "path": place.get("path", ""),
            "origin": names.get(place.get("node"), ""),
            "dataset": datasets.get(ids[name]),
        }
        for name, place in sorted(ports.items())
    ]

"""Which workers serve which queue, and which runs wait in a queue that nobody serves. Computed at
each read."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from endpoints.models import ComputeTarget
from runs.models import Kind, Run, Worker
from runs.states import Status

# Before a warning, a worker that starts or takes over a queue gets this long.
UNSERVED_AFTER = timedelta(seconds=30)


def living_workers() -> list[Worker]:
    return list(Worker.objects.living().filter(role="worker").order_by("name"))


def serving(queue: str, workers: Iterable[Worker]) -> list[Worker]:
    """The workers started with this queue's name; if there are none, those started without
    names."""
    named = [worker for worker in workers if worker.is_named and queue in worker.queues]
    return named or [worker for worker in workers if not worker.is_named]


def left_to_all() -> list[str]:
    """The queues of a worker started without names: all compute targets, and removed ones for which
    steps still wait, except those that a worker serves by name."""
    waiting = Run.objects.live().filter(kind=Kind.STEP, status=Status.QUEUED)
    queues = {*ComputeTarget.objects.values_list("name", flat=True)}
    queues |= {*waiting.order_by().values_list("target", flat=True).distinct()}
    named = Worker.objects.living().filter(is_named=True)
    return sorted(queues.difference(*named.values_list("queues", flat=True)))


def tell_unserved(*lists: Iterable[Run]) -> None:
    """Set `unserved` on each run of a page."""
    runs = [run for rows in lists for run in rows]
    found = unserved(runs)
    for run in runs:
        run.unserved = found.get(run.pk, [])


def unserved(runs: Collection[Run]) -> dict[int, list[str]]:
    """The queues that nobody serves, by key of the run that waits for them, itself or in one of its
    steps. One query for any number of runs (none if all are new or over), and one for workers."""
    long_ago = timezone.now() - UNSERVED_AFTER
    known = {run.pk for run in runs if not run.is_terminal and run.created_at <= long_ago}
    if not known:
        return {}
    waiting = (
        Run.objects.filter(Q(pk__in=known) | Q(parent__in=known))
        .filter(kind=Kind.STEP, status=Status.QUEUED, updated_at__lte=long_ago)
        .filter(Q(step__not_before=None) | Q(step__not_before__lte=long_ago))
        .order_by()
        .values_list("pk", "parent_id", "target")
    )
    queues = defaultdict(set)
    for pk, parent_id, target in waiting:
        for key in known & {pk, parent_id}:
            queues[key].add(target)
    workers = living_workers() if queues else []
    lacking = {
        key: sorted(name for name in names if not serving(name, workers))
        for key, names in queues.items()
    }
    return {key: names for key, names in lacking.items() if names}

"""Runs of graphs that callers bring and nobody has published. A graph is only stored if its run
is."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from endpoints.models import Graph
from runs.models import Run
from runs.submission.idempotency import Key, run_in_turn
from runs.submission.submit import submit
from studio.core.access import Actor, require


@transaction.atomic
def submit_unpublished(
    actor: Actor, *, make_graph: Callable[[], Graph], key: Key | None = None, **asked: Any
) -> Run:
    """Store the graph and submit a run of it; `asked` are further arguments of `submit`.

    The same `key` again returns the run it made the first time, and stores no graph.
    """
    require(actor, "run code")
    earlier = run_in_turn(actor, key)
    if earlier is not None:
        return earlier
    return submit(actor, graph=make_graph(), key=key, **asked)

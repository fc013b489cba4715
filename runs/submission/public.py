"""Public endpoints, whose trigger needs no token (wire.md 2.4): who acts then, and how often."""

import math
import time
from collections import deque
from datetime import timedelta
from threading import Lock
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from endpoints.models import PipelineEndpoint
from runs.models import Run
from runs.submission.idempotency import Key, run_of_key
from studio.core.access import Actor
from studio.core.errors import Refused
from studio.core.models import Role

NAME = "public"
WINDOW = timedelta(minutes=1)
BATCH = 500
# Relations and columns that a trigger needs. `submit` caches graphs, so their large columns are not
# loaded here.
DEFAULT = ("workspace", "default_version__pipeline__graph")
LARGE = tuple(
    f"default_version__pipeline__graph__{column}"
    for column in ("wire", "interface", "dataset_defaults")
)


class TooManyCalls(Refused):
    status = 429
    code = "TooManyRequests"

    def __init__(self, wait: float):
        seconds = math.ceil(wait)
        super().__init__(
            f"This public endpoint takes no more calls at the moment: try again in {seconds} seconds."
        )
        self.headers = {"Retry-After": str(seconds)}


def find_public_endpoint(uuid: str) -> PipelineEndpoint | None:
    try:
        wanted = UUID(uuid)
    except ValueError:
        return None
    rows = PipelineEndpoint.objects.filter(uuid=wanted, is_public=True)
    return rows.select_related(*DEFAULT).defer(*LARGE).first()


def actor_for(endpoint: PipelineEndpoint) -> Actor:
    """An anonymous actor who may only run this endpoint."""
    return Actor(
        workspace=endpoint.workspace, role=Role.OPERATOR, name=NAME, endpoint_uuid=endpoint.uuid
    )


def admit(endpoint: PipelineEndpoint, key: Key | None) -> Actor:
    """The anonymous actor; TooManyCalls if there were too many within a minute. A call whose `key`
    has a run already does not count.

    All calls are counted in this process, in memory, so that a flood of refused calls costs
    nothing; runs that were made are counted as rows, across all processes and machines.
    """
    actor = actor_for(endpoint)
    if run_of_key(actor, key) is None:
        _limit_rate(endpoint)
    return actor


def _limit_rate(endpoint: PipelineEndpoint) -> None:
    limit = settings.STUDIO_PUBLIC_CALLS_PER_MINUTE
    _count_call(endpoint.uuid, limit)
    _count_runs(endpoint, limit)


# Times of calls within the last minute in this process, per endpoint.
calls: dict[UUID, deque[float]] = {}
_lock = Lock()


def _count_call(uuid: UUID, limit: int) -> None:
    now = time.monotonic()
    with _lock:
        recent = calls.setdefault(uuid, deque())
        while recent and now - recent[0] >= WINDOW.total_seconds():
            recent.popleft()
        if len(recent) < limit:
            recent.append(now)
            return
        wait = recent[0] + WINDOW.total_seconds() - now if recent else WINDOW.total_seconds()
    raise TooManyCalls(wait)


def _count_runs(endpoint: PipelineEndpoint, left: int) -> None:
    since = timezone.now() - WINDOW
    rows = Run.objects.filter(endpoint=endpoint).order_by("-pk")
    before = None
    while True:
        page = rows if before is None else rows.filter(pk__lt=before)
        # Ordered by key instead of time: (endpoint, -id) has an index, and creation follows the
        # key.
        batch = list(page.values_list("pk", "created_at", "submitted_by")[:BATCH])
        for pk, created_at, submitted_by in batch:
            if created_at < since:
                return
            before = pk
            left -= submitted_by == NAME
            if left <= 0:
                wait = (created_at + WINDOW - timezone.now()).total_seconds()
                raise TooManyCalls(max(1, wait))
        if len(batch) < BATCH:
            return

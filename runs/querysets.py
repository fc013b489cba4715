"""Querysets of runs and workers, and `transition`, the one way to change a status."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import connection, models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils import timezone

from runs.states import BEFORE, TERMINAL, Status
from studio.core.access import Actor
from studio.core.db import prepared
from studio.core.db.folded import FoldedQuerySet
from studio.core.db.transactions import write_transaction

if TYPE_CHECKING:
    from runs.models import Run, Worker  # noqa: F401 - used in quoted annotations

Step = tuple[str, Status, datetime]  # from one status to another, at a time

logger = logging.getLogger(__name__)
# Time without a heartbeat. After SILENT, pages treat the worker as unavailable, its machine kills its steps,
# and they are shown as Not responding; after LOST, other workers get them. LOST is longer, so that two
# workers never run the same step.
SILENT = timedelta(seconds=20)
LOST = timedelta(seconds=30)

# The statuses that a step may have until its worker has written that its process runs.
NOT_YET_RUNNING = (Status.PREPARING, Status.NOT_RESPONDING)

ABOVE = (
    "WITH RECURSIVE above(id, parent_id) AS ("
    " SELECT id, parent_id FROM runs_run WHERE id = %s"
    " UNION ALL SELECT run.id, run.parent_id FROM runs_run run JOIN above ON run.id = above.parent_id"
    ") SELECT id FROM above"
)


class RunQuerySet(FoldedQuerySet["Run"]):
    def visible_to(self, actor: Actor) -> Self:
        """The runs of the actor's workspace. A step's token sees the run tree of its step, a token of one
        endpoint the runs of that endpoint."""
        runs = self.filter(workspace=actor.workspace)
        if actor.endpoint_uuid is not None:
            runs = runs.filter(root__endpoint__uuid=actor.endpoint_uuid)
        if actor.run_uuid is not None:
            tree = self.model.objects.filter(uuid=actor.run_uuid).values("root_id")
            runs = runs.filter(root_id__in=tree)
        return runs

    def pipeline_runs(self) -> Self:
        return self.filter(kind="Pipeline")

    def live(self) -> Self:
        # Not `status IN (...)`: only this condition uses the partial index on both databases.
        return self.filter(finished_at__isnull=True)

    def above(self, pk: int) -> Self:
        """The run and all its ancestors, in one query however deep the tree is."""
        return self.filter(pk__in=RawSQL(ABOVE, [pk]))  # noqa: S611 - constant SQL

    def canceled_at(self, pk: int) -> "Run | None":
        """The run or ancestor that was canceled or asked to cancel, if there is one (the topmost of several).
        Locks all their rows, so that canceling one of them waits for this transaction."""
        # Locked from the top down, in the order in which they are canceled, to avoid deadlocks.
        above = list(self.above(pk).select_for_update(no_key=True).order_by("pk"))
        ended = (Status.CANCEL_REQUESTED, Status.CANCELED)
        return next((run for run in above if run.status in ended), None)

    def below(self, run: "Run") -> list[int]:
        """The keys of the run and of all its descendants."""
        children = defaultdict(list)
        for pk, parent in self.filter(root=run.root_id).values_list("pk", "parent_id"):
            children[parent].append(pk)
        found = [run.pk]
        for pk in found:  # the list grows while we iterate
            found += children[pk]
        return sorted(found)

    def with_statuses(self, statuses: Iterable[str]) -> list["RunQuerySet"]:
        """One query per status, because only such a query reads the index in order; without statuses, one
        query for all runs."""
        return [self.filter(status=status) for status in statuses] or [self]

    def transition(
        self,
        *pks: int,
        to: Status,
        was: Status | None = None,
        reason: str = "",
        attempt: int | None = None,
        next_attempt: int | None = None,
        at: datetime | None = None,
        running_since: datetime | None = None,
        only: Collection[Status] = tuple(Status),
        unless_failed: bool = False,
        table: Mapping[Status, Collection[Status]] = BEFORE,
        **stamps: Any,
    ) -> list[int]:
        """Change the status of runs where `table` allows it. Returns the keys of the runs that this call
        changed: of several concurrent callers, exactly one gets each.

        `was`: change only runs with this status; saves a query.
        `only`: change only runs with one of these statuses.
        `unless_failed`: change only runs without an error code.
        `attempt`: change a step only if this is its current attempt, so that a worker that was declared
        lost cannot change it when it resumes.
        `next_attempt`: the new attempt number, set by a claim.
        `running_since`: if a run is still Preparing, or was when its worker fell silent, also record that it
        has been Running since then.
        `stamps`: other columns to set in the same UPDATE.
        """
        at = at or timezone.now()
        # No statement below fails halfway, so an outer transaction needs no savepoint.
        with write_transaction():
            before: dict[int, str] = dict.fromkeys(pks, was) if was is not None else {}
            if was is None and pks:
                # Locked: if a status changed before the UPDATE, that would look like a refused transition.
                rows = self.filter(pk__in=pks).select_for_update(no_key=True).order_by("pk")
                before = dict(rows.values_list("pk", "status"))
            wanted = {"error_code": ""} if unless_failed else {}
            changed: dict[tuple[Step, ...], list[int]] = defaultdict(list)
            for pk, status in sorted(before.items()):
                if status not in table[to] or status not in only:
                    continue
                path: tuple[Step, ...] = ((status, to, at),)
                if running_since is not None and status in NOT_YET_RUNNING:
                    end = max(at, running_since)  # a clock may be set back
                    path = ((status, Status.RUNNING, running_since), (Status.RUNNING, to, end))
                changes = (
                    {**stamps} if next_attempt is None else {**stamps, "attempt": next_attempt}
                )
                row = {"id": pk, "status": status, **wanted}
                if attempt is not None:
                    row["attempt"] = attempt
                if _update(row, path, changes):
                    changed[path].append(pk)
            for path, moved in changed.items():
                for old, new, when in path:
                    # The reason belongs to the last change, not to a start that is written with it.
                    _record(moved, old, new, at=when, reason=reason if new == to else "")
            return sorted(pk for moved in changed.values() for pk in moved)


def _update(row: Mapping[str, Any], path: Sequence[Step], changes: Mapping[str, Any]) -> int:
    """Update the run to the last status of `path`, if its columns still are as in `row`."""
    _, to, at = path[-1]
    changes = {"status": to, "updated_at": at, **changes}
    sets = [f"{column} = %s" for column in changes]
    values = [*changes.values()]
    if to not in TERMINAL:
        sets.append("finished_at = NULL")
    elif "finished_at" not in changes:
        sets.append(f"finished_at = {_later_than_last()}")
        values.append(at)
    for _, status, when in path:
        if status == Status.RUNNING:
            sets.append(f"started_at = COALESCE(started_at, {_later_than_last()})")
            values.append(when)
    tests = [f"{column} = %s" for column in row]
    return prepared.run(
        f"UPDATE runs_run SET {', '.join(sets)} WHERE {' AND '.join(tests)}",  # noqa: S608
        *values,
        *row.values(),
    )


def _later_than_last() -> str:
    """SQL for a given time, but not before the run's last change, so that its times stay in order even if
    machines with different clocks write them."""
    last = "SELECT at FROM runs_statuschange WHERE run_id = runs_run.id ORDER BY id DESC LIMIT 1"
    greater = "MAX" if connection.vendor == "sqlite" else "GREATEST"
    return f"{greater}(%s, COALESCE(({last}), runs_run.created_at))"


def _record(pks: list[int], before: str, to: Status, *, at: datetime, reason: str) -> None:
    """Add one change of each run to the history."""
    later, marks = _later_than_last(), ", ".join(["%s"] * len(pks))
    prepared.run(
        "INSERT INTO runs_statuschange (run_id, from_status, to_status, at, reason)"  # noqa: S608
        f" SELECT id, %s, %s, {later}, %s FROM runs_run WHERE id IN ({marks}) ORDER BY id",
        *(before, to, at, reason[:500], *pks),
    )
    for pk in pks:
        logger.info("run %s: %s -> %s %s", pk, before, to, reason)


class WorkerQuerySet(models.QuerySet["Worker"]):
    def responding(self) -> Self:
        """Workers with a recent heartbeat. Uses the database's clock, as the heartbeats do."""
        return self.filter(heartbeat_at__gte=Now() - SILENT)

    def living(self) -> Self:
        """Workers that take steps: they respond and are not stopping."""
        return self.responding().filter(stopping_at__isnull=True)

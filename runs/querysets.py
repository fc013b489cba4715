"""Querysets of runs and workers, and `move`, the one way to change a status."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from runs.states import BEFORE, TERMINAL, Status
from studio.core.writing import write_transaction

logger = logging.getLogger(__name__)
ALIVE = timedelta(seconds=20)  # four missed heartbeats; after as long a worker stops its own steps


class RunQuerySet(models.QuerySet):
    def visible_to(self, actor):
        """The runs of the actor's workspace; a step's token sees its own tree, an endpoint's token its runs."""
        runs = self.filter(workspace=actor.workspace)
        if actor.endpoint_uuid is not None:
            runs = runs.filter(root__endpoint__uuid=actor.endpoint_uuid)
        if actor.run_uuid is not None:
            tree = runs.model.objects.filter(uuid=actor.run_uuid).values("root_id")
            runs = runs.filter(root_id__in=tree)
        return runs

    def pipeline_runs(self):
        return self.filter(kind="Pipeline")

    def live(self):
        # Not `status IN (...)`: only this condition can use the partial index on both databases.
        return self.filter(finished_at__isnull=True)

    def with_statuses(self, statuses: Iterable[str]) -> list["RunQuerySet"]:
        """One query per status, each of which keeps the order of its index; all runs if none is named."""
        return [self.filter(status=status) for status in statuses] or [self]

    def move(
        self,
        pk: int,
        *,
        to: Status,
        was: Status | None = None,
        reason: str = "",
        attempt: int | None = None,
        next_attempt: int | None = None,
        at: datetime | None = None,
        ran_from: datetime | None = None,
        **stamps,
    ) -> bool:
        """Change one run's status if the table of states allows it; True for exactly one caller.

        With `attempt`, only that attempt of a step may write: a worker that was taken for dead and
        woke up changes nothing; a claim gives its `next_attempt`. `stamps` are further columns to
        write in the same UPDATE. A queryset that is filtered already narrows what may be moved; a
        caller that moves only from one status says so with `was`, which saves a query. `ran_from`:
        it has been running since then if it is still written to be preparing.
        """
        at = at or timezone.now()
        # Nothing below fails half-way, so an outer transaction needs no savepoint for it.
        with write_transaction():
            rows = self.filter(pk=pk) if attempt is None else self.filter(pk=pk, attempt=attempt)
            before = was
            if before is None:
                # Read inside the transaction for the history row; the UPDATE below is the referee.
                before = rows.values_list("status", flat=True).first()
            if before not in BEFORE[to]:
                return False
            changes = {"status": to, "updated_at": at, **stamps}
            if next_attempt is not None:
                changes["attempt"] = next_attempt
            changes["finished_at"] = at if to in TERMINAL else None
            past = [(before, to, at)]
            if ran_from is not None and before == Status.PREPARING:
                past = [(before, Status.RUNNING, ran_from), (Status.RUNNING, to, at)]
            for _, status, when in past:
                if status == Status.RUNNING:
                    first = models.functions.Coalesce("started_at", models.Value(when))
                    changes["started_at"] = first
            moved = rows.filter(status=before).update(**changes)
            if moved:
                history = self.model.status_changes.rel.related_model
                history.objects.bulk_create(
                    history(run_id=pk, from_status=old, to_status=new, at=when, reason=reason[:500])
                    for old, new, when in past
                )
                _log(pk, before, to, reason)
            return bool(moved)

    def move_all(
        self,
        pks: Iterable[int],
        *,
        to: Status,
        was: Status | None = None,
        reason: str = "",
        **stamps,
    ) -> list[int]:
        """`move` for many runs in one transaction; the keys of those that *we* moved.

        One UPDATE each, since that is the referee, but one SELECT and one INSERT together.
        """
        at = timezone.now()
        with write_transaction():
            if was is None:
                rows = self.filter(pk__in=list(pks), status__in=BEFORE[to])
                before = dict(rows.values_list("pk", "status"))
            else:
                before = dict.fromkeys(pks, was)
            changes = {"status": to, "updated_at": at, **stamps}
            changes["finished_at"] = at if to in TERMINAL else None
            moved = [
                pk
                for pk, status in sorted(before.items())
                if self.filter(pk=pk, status=status).update(**changes)
            ]
            history = self.model.status_changes.rel.related_model
            history.objects.bulk_create(
                history(run_id=pk, from_status=before[pk], to_status=to, at=at, reason=reason[:500])
                for pk in moved
            )
            for pk in moved:
                _log(pk, before[pk], to, reason)
            return moved


def _log(pk: int, before: str, to: str, reason: str) -> None:
    logger.info("run %s: %s -> %s %s", pk, before, to, reason)


class WorkerQuerySet(models.QuerySet):
    def living(self):
        """By the clock of the database, which is the one that heartbeats are written with."""
        return self.filter(heartbeat_at__gte=Now() - ALIVE, stopping_at__isnull=True)

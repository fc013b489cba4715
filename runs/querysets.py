"""Querysets of runs and workers, and `move`, the one way to change a status."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import connection, models
from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone

from runs.states import BEFORE, TERMINAL, Status
from studio.core.access import Actor
from studio.core.db import prepared
from studio.core.db.folded import FoldedQuerySet
from studio.core.db.transactions import write_transaction

if TYPE_CHECKING:
    from runs.models import Run, Worker  # noqa: F401 - named in a text

logger = logging.getLogger(__name__)
ALIVE = timedelta(seconds=20)  # four missed heartbeats; after as long a worker stops its own steps


class RunQuerySet(FoldedQuerySet["Run"]):
    def visible_to(self, actor: Actor) -> Self:
        """The runs of the actor's workspace; a step's token sees its own tree, an endpoint's token its runs."""
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
        # Not `status IN (...)`: only this condition can use the partial index on both databases.
        return self.filter(finished_at__isnull=True)

    def canceled_at(self, pk: int | None) -> "Run | None":
        """The run or the first one above it that was canceled or is asked to end; None if none is. Whoever
        would cancel one of them meanwhile waits for the transaction."""
        chain = []
        while pk is not None:
            chain.append(pk)
            pk = self.values_list("parent_id", flat=True).get(pk=pk)
        # From the top down, as they are canceled: two who wait for each other would wait for ever.
        above = list(self.select_for_update(no_key=True).filter(pk__in=chain).order_by("pk"))
        ended = (Status.CANCEL_REQUESTED, Status.CANCELED)
        return next((run for run in above if run.status in ended), None)

    def below(self, run: "Run") -> list[int]:
        """The keys of the run and of whatever is below it, at any depth."""
        children = defaultdict(list)
        for pk, parent in self.filter(root=run.root_id).values_list("pk", "parent_id"):
            children[parent].append(pk)
        found = [run.pk]
        for pk in found:  # grows as it goes down
            found += children[pk]
        return sorted(found)

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
        only: Collection[Status] = tuple(Status),
        unless_failed: bool = False,
        **stamps: Any,
    ) -> bool:
        """Change one run's status if the table of states allows it; True for exactly one caller.

        With `attempt`, only that attempt of a step may write: a worker that was taken for dead and
        woke up changes nothing; a claim gives its `next_attempt`. `stamps` are further columns to
        write in the same UPDATE. A caller that moves only from one status says so with `was`, which
        saves a query; `only` are the statuses it may have, and with `unless_failed` it must carry no
        error. `ran_from`: it has been running since then if it is still written to be preparing.
        """
        at = at or timezone.now()
        # Nothing below fails half-way, so an outer transaction needs no savepoint for it.
        with write_transaction():
            before: str | None = was
            if before is None:
                # Read inside the transaction for the history row; the UPDATE below is the referee.
                before = self.filter(pk=pk).values_list("status", flat=True).first()
            if before not in BEFORE[to] or before not in only:
                return False
            past = [(before, to, at)]
            if ran_from is not None and before == Status.PREPARING:
                at = max(at, ran_from)  # a clock may be set back
                past = [(before, Status.RUNNING, ran_from), (Status.RUNNING, to, at)]
            later = _later_than_last()
            changes = {"status": to, "updated_at": at, **stamps}
            if next_attempt is not None:
                changes["attempt"] = next_attempt
            sets = [f"{column} = %s" for column in changes]
            values = [*changes.values()]
            if to not in TERMINAL:
                sets.append("finished_at = NULL")
            elif "finished_at" not in stamps:
                sets.append(f"finished_at = {later}")
                values.append(at)
            for _, status, when in past:
                if status == Status.RUNNING:
                    sets.append(f"started_at = COALESCE(started_at, {later})")
                    values.append(when)
            wanted = {"id": pk, "status": before}
            if attempt is not None:
                wanted["attempt"] = attempt
            if unless_failed:
                wanted["error_code"] = ""
            tests = [f"{column} = %s" for column in wanted]
            moved = prepared.run(
                f"UPDATE runs_run SET {', '.join(sets)} WHERE {' AND '.join(tests)}",  # noqa: S608
                *values,
                *wanted.values(),
            )
            for old, new, when in past if moved else ():
                # The reason is that of the end, not of the start that is written with it.
                said = reason if new == to else ""
                _note(pks=[pk], before=old, to=new, at=when, reason=said)
            return bool(moved)

    def reopen(self, pk: int, *, reason: str) -> bool:
        """Let a run that is over run again. Only who drives it from outside can do that: for our own
        the table of states holds."""
        with write_transaction():
            before = (
                self.filter(pk=pk, status__in=TERMINAL).values_list("status", flat=True).first()
            )
            at = timezone.now()
            changes: dict[str, Any] = {
                "status": Status.RUNNING,
                "finished_at": None,
                "updated_at": at,
            }
            changes |= {"error": "", "error_code": ""}
            if before is None or not self.filter(pk=pk, status=before).update(**changes):
                return False
            _note(pks=[pk], before=before, to=Status.RUNNING, at=at, reason=reason)
            return True

    def move_all(
        self,
        pks: Iterable[int],
        *,
        to: Status,
        was: Status | None = None,
        reason: str = "",
        **stamps: Any,
    ) -> list[int]:
        """`move` for many runs in one transaction; the keys of those that *we* moved.

        One UPDATE each, since that is the referee, but one SELECT and one INSERT (per status that
        they had) together.
        """
        at = timezone.now()
        with write_transaction():
            if was is None:
                rows = self.filter(pk__in=list(pks), status__in=BEFORE[to])
                before = dict(rows.values_list("pk", "status"))
            else:
                before = dict.fromkeys(pks, was)
            changes = {"status": to, "updated_at": at, **stamps}
            changes["finished_at"] = self._later(at) if to in TERMINAL else None
            moved = [
                pk
                for pk, status in sorted(before.items())
                if self.filter(pk=pk, status=status).update(**changes)
            ]
            for status in {before[pk] for pk in moved}:
                pks = [pk for pk in moved if before[pk] == status]
                _note(pks=pks, before=status, to=to, at=at, reason=reason)
            return moved

    def _later(self, at: datetime) -> Greatest:
        """`at`, or the time of the last change where that is later; see `_later_than_last`."""
        history = self.model.status_changes.rel.related_model._default_manager
        last = history.filter(run=OuterRef("pk")).order_by("-pk").values("at")[:1]
        then = Value(at, output_field=models.DateTimeField())
        return Greatest(then, Coalesce(Subquery(last), F("created_at")))


def _later_than_last() -> str:
    """SQL of a time that is not before the last change of the run: its times follow each other also
    where machines whose clocks differ write them."""
    last = "SELECT at FROM runs_statuschange WHERE run_id = runs_run.id ORDER BY id DESC LIMIT 1"
    greater = "MAX" if connection.vendor == "sqlite" else "GREATEST"
    return f"{greater}(%s, COALESCE(({last}), runs_run.created_at))"


def _note(*, pks: list[int], before: str, to: Status, at: datetime, reason: str) -> None:
    """Write one change of each run."""
    later, marks = _later_than_last(), ", ".join(["%s"] * len(pks))
    prepared.run(
        "INSERT INTO runs_statuschange (run_id, from_status, to_status, at, reason)"  # noqa: S608
        f" SELECT id, %s, %s, {later}, %s FROM runs_run WHERE id IN ({marks}) ORDER BY id",
        *(before, to, at, reason[:500], *pks),
    )
    for pk in pks:
        _log(pk, before, to, reason)


def _log(pk: int, before: str, to: str, reason: str) -> None:
    logger.info("run %s: %s -> %s %s", pk, before, to, reason)


class WorkerQuerySet(models.QuerySet["Worker"]):
    def living(self) -> Self:
        """By the clock of the database, which is the one that heartbeats are written with."""
        return self.filter(heartbeat_at__gte=Now() - ALIVE, stopping_at__isnull=True)

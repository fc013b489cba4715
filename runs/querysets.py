"""Querysets of runs, and `move`, the one way to change a status."""

from datetime import datetime

from django.db import models, transaction
from django.utils import timezone

from runs.states import BEFORE, TERMINAL, Status


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

    def move(
        self,
        pk: int,
        *,
        to: Status,
        reason: str = "",
        attempt: int | None = None,
        at: datetime | None = None,
        **stamps,
    ) -> bool:
        """Change one run's status if the table of states allows it; True for exactly one caller.

        With `attempt`, only that attempt of a step may write: a worker that was taken for dead and
        woke up changes nothing. `stamps` are further columns to write in the same UPDATE.
        """
        at = at or timezone.now()
        with transaction.atomic():
            rows = self.filter(pk=pk, status__in=BEFORE[to])
            if attempt is not None:
                rows = rows.filter(attempt=attempt)
            # Read inside the transaction for the history row; the UPDATE below is the referee.
            before = rows.values_list("status", flat=True).first()
            if before is None:
                return False
            changes = {"status": to, "updated_at": at, **stamps}
            if to == Status.RUNNING:
                changes["started_at"] = models.functions.Coalesce("started_at", models.Value(at))
            changes["finished_at"] = at if to in TERMINAL else None
            moved = rows.filter(status=before).update(**changes)
            if moved:
                self.model.status_changes.rel.related_model.objects.create(
                    run_id=pk, from_status=before, to_status=to, at=at, reason=reason[:500]
                )
            return bool(moved)

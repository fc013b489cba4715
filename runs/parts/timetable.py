"""Rows of schedules for all lists: the list of all, the tab of a target, and Home."""

from django.core.paginator import Page
from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse

from endpoints.models import EntityStatus, PipelineEndpoint, PublishedPipeline
from runs.models import Schedule, ScheduleTick, Trigger
from runs.parts.definitions import reader
from studio.core.db.folded import FoldedQuerySet
from studio.core.db.keyset import numbered

NEXT = 5  # on Home


def schedules_of(request) -> FoldedQuerySet[Schedule]:
    rows = Schedule.objects.filter(workspace=reader(request).workspace)
    return rows.select_related("workspace", "endpoint", "pipeline").defer("seen", "settings")


def page_of(request, rows: QuerySet[Schedule]) -> Page:
    """One page of `rows` by name, each with the outcome of its last tick."""
    newest = ScheduleTick.objects.filter(schedule=OuterRef("pk")).order_by("-pk")
    rows = rows.annotate(
        last_outcome=Subquery(newest.values("outcome")[:1]),
        last_due_at=Subquery(newest.values("due_at")[:1]),
        last_reason=Subquery(newest.values("reason")[:1]),
    )
    return numbered(rows.order_by("name", "pk"), request.GET)


def tab(request, own: str, target: PipelineEndpoint | PublishedPipeline) -> dict:
    """The context of the Schedules tab of a target, with disabled ones; `own` is the target's
    kind."""
    return {
        "page": page_of(request, schedules_of(request).filter(**{own: target})),
        "own": own,
        "new_url": f"{reverse('runs:schedule-new')}?target={own}:{target.uuid}",
    }


def coming(request) -> list[Schedule]:
    """The schedules that fire next, soonest first. Datastore triggers have no known time."""
    rows = schedules_of(request).filter(status=EntityStatus.ACTIVE, trigger=Trigger.RECURRENCE)
    return list(rows.filter(next_at__isnull=False).order_by("next_at", "pk")[:NEXT])

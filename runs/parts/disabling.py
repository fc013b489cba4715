"""What a person should know before disabling something: who calls it, and what is running."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from endpoints.models import EntityStatus, PipelineEndpoint, PublishedPipeline
from runs.models import Run, Schedule, Source

CALLERS_SHOWN = 5
SEEN_WITHIN = timedelta(days=30)


def what_stops(targets: list[PipelineEndpoint | PublishedPipeline]) -> list[str]:
    """Sentences for the question before disabling; three queries for any number of targets."""
    scheduled = Schedule.objects.filter(_of(targets), status=EntityStatus.ACTIVE)
    names = list(scheduled.order_by("name").values_list("name", flat=True))
    runs = Run.objects.filter(_of(targets))
    recent = runs.filter(
        created_at__gte=timezone.now() - SEEN_WITHIN,
        pipeline_run__source__in=[Source.REST, Source.SDK, Source.SCHEDULE],
    )
    callers = sorted(recent.order_by().values_list("submitted_by", flat=True).distinct())
    stopping = [_schedules(names)] if names else []
    return [_callers(callers), *stopping, _in_flight(runs.live().count())]


def _of(targets) -> Q:
    endpoints = [row.pk for row in targets if isinstance(row, PipelineEndpoint)]
    pipelines = [row.pk for row in targets if isinstance(row, PublishedPipeline)]
    return Q(endpoint__in=endpoints) | Q(pipeline__in=pipelines)


def _schedules(names: list[str]) -> str:
    said = ngettext(
        "%(number)d schedule skips its runs meanwhile: %(names)s.",
        "%(number)d schedules skip their runs meanwhile: %(names)s.",
        len(names),
    )
    return said % {"number": len(names), "names": _some(names)}


def _some(names: list[str]) -> str:
    return ", ".join(names[:CALLERS_SHOWN]) + (", …" if len(names) > CALLERS_SHOWN else "")


def _callers(names: list[str]) -> str:
    if not names:
        return _("Nobody called it over REST in the last 30 days.")
    said = ngettext(
        "%(number)d caller used it over REST in the last 30 days: %(names)s.",
        "%(number)d callers used it over REST in the last 30 days: %(names)s.",
        len(names),
    )
    return said % {"number": len(names), "names": _some(names)}


def _in_flight(count: int) -> str:
    if not count:
        return _("No run is in flight.")
    said = ngettext(
        "%(number)d run is in progress and will finish.",
        "%(number)d runs are in progress and will finish.",
        count,
    )
    return said % {"number": count}

"""Fragments of a run's page that are polled: rendered again only if something has changed."""

from django.db.models import Max
from django.utils import timezone
from django.views.decorators.http import condition

from runs.models import Run
from runs.parts.definitions import reader
from studio.core.ui.fragments import hash_of

CLOCK_SECONDS = 5  # bars and durations of running steps may lag this far behind


def tag_of_run(request, uuid, **kwargs) -> str | None:
    """Changes with every status change of the run and its steps, and every few seconds while it
    lives."""
    run = Run.objects.visible_to(reader(request)).filter(uuid=uuid).first()
    if run is None:
        return None
    changed = Run.objects.filter(root_id=run.root_id).aggregate(at=Max("updated_at"))["at"]
    clock = "" if run.is_terminal else int(timezone.now().timestamp() // CLOCK_SECONDS)
    query = request.GET.urlencode()
    return f'"{hash_of(run.uuid, changed, clock, query, request.path, request.LANGUAGE_CODE)}"'


of_run = condition(etag_func=tag_of_run)

"""Answers that are asked for again and again: never kept by a proxy, and rebuilt only when changed."""

from hashlib import blake2b

from django.db.models import Max
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import condition

from runs.models import Run
from runs.parts import scope

CLOCK_SECONDS = 5  # how far bars and durations of what runs may lag behind


def private(response):
    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ["HX-Request"])
    return response


def guarded(response):
    """For what a run wrote itself: nothing in it may act as a page of ours."""
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    response["X-Content-Type-Options"] = "nosniff"
    return private(response)


def tag_of_run(request, uuid, **kwargs) -> str | None:
    """Changes with every move of the run or a step of it, and slowly while it lives."""
    run = Run.objects.visible_to(scope.reader(request)).filter(uuid=uuid).first()
    if run is None:
        return None
    changed = Run.objects.filter(root_id=run.root_id).aggregate(at=Max("updated_at"))["at"]
    clock = "" if run.is_terminal else int(timezone.now().timestamp() // CLOCK_SECONDS)
    query = request.GET.urlencode()
    return f'"{hash_of(run.uuid, changed, clock, query, request.path, request.LANGUAGE_CODE)}"'


def hash_of(*parts) -> str:
    return blake2b("|".join(map(str, parts)).encode(), digest_size=12).hexdigest()


of_run = condition(etag_func=tag_of_run)

"""The star of an endpoint or a published pipeline, which each person sets for themselves."""

from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from endpoints.models import PipelineEndpoint, PublishedPipeline
from runs.parts.definitions import find_endpoint, find_pipeline
from studio.core import favourites


@require_POST
def endpoint_favourite(request, uuid):
    return _mark(request, find_endpoint(request, uuid))


@require_POST
def pipeline_favourite(request, uuid):
    return _mark(request, find_pipeline(request, uuid))


def _mark(request, target: PipelineEndpoint | PublishedPipeline):
    """The updated star or, without scripts, a redirect to the page it was pressed on."""
    favourites.mark(request.actor, target, on=request.POST.get("on") == "1")
    if request.htmx:
        return render(request, "endpoints/_star.html", star_of(request, target))
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(back if is_ours else target)


def star_of(request, target: PipelineEndpoint | PublishedPipeline) -> dict:
    """The context of `_star.html` beside a page's title."""
    kind = "endpoint" if isinstance(target, PipelineEndpoint) else "pipeline"
    return {
        "item": target,
        "starred": favourites.is_marked(request.actor, target.uuid),
        "star_url": reverse(f"endpoints:{kind}-favourite", args=[target.uuid]),
        "here": request.POST.get("next") or request.get_full_path(),
    }

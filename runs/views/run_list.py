"""Pipelines > Pipeline runs."""

from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from runs import filters
from runs.parts import visible_runs
from runs.serving import tell_unserved
from studio.core.ui import fragments
from studio.core.ui.paging import place
from studio.core.ui.templatetags.studio import state_of


@require_safe
def run_list(request):
    """The page, or only its table for polling and filters."""
    runs = visible_runs.top(request)
    chosen = filters.RunFilter(request.GET, runs, workspace=request.actor.workspace)
    page = filters.page(chosen.qs, chosen.statuses, kinds=visible_runs.TOP, **place(request.GET))
    tell_unserved(page)
    on = pills(request, chosen)
    context = {
        "nav": "pipelines",
        "page": page,
        "filter": chosen,
        "pills": on,
        "is_filtered": bool(on),
        "cancel_url": f"{reverse('runs:run-cancel-selected')}?{request.GET.urlencode()}",
        "poll_url": request.get_full_path() if any(not run.is_terminal for run in page) else "",
    }
    template = "runs/_run_table.html" if request.htmx else "runs/run_list.html"
    return fragments.private(render(request, template, context))


def pills(request, chosen) -> list[dict]:
    """The active filters, each with a link to the list without it."""
    found = []
    for name in chosen.filters:
        for value in request.GET.getlist(name):
            if value:
                found.append(
                    {"label": _label(chosen, name, value), "url": _without(request, name, value)}
                )
    return found


def _label(chosen, name: str, value: str) -> str:
    word = dict(chosen.offered.get(name, ())).get(value, value)
    word = state_of(value).label if name == "status" else word
    return _("%(filter)s: %(value)s") % {"filter": chosen.form.fields[name].label, "value": word}


def _without(request, name: str, value: str) -> str:
    query = request.GET.copy()
    query.setlist(name, [other for other in query.getlist(name) if other != value])
    for key in ("before", "after"):
        query.pop(key, None)
    return f"?{query.urlencode()}"

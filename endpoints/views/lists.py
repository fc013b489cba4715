"""The lists of pipeline endpoints and published pipelines, and their bulk commands."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from endpoints import services
from endpoints.filters import CatalogueFilter
from endpoints.models import EntityStatus, PipelineEndpoint, PublishedPipeline
from runs.parts import catalogue
from runs.parts.definitions import reader
from runs.parts.disabling import what_stops
from studio.core.access import require
from studio.core.ui.fragments import private
from studio.core.uuids import as_uuid


@require_safe
def endpoint_list(request):
    actor = reader(request)
    bases = [catalogue.endpoints_of(actor), catalogue.singles_of(actor)]
    return _catalogue(request, bases, {"nav": "endpoints", "shown": "endpoints"})


@require_safe
def pipeline_list(request):
    bases = [catalogue.pipelines_of(reader(request))]
    return _catalogue(request, bases, {"nav": "pipelines", "shown": "published"})


def _catalogue(request, bases: list, context: dict):
    """Either list: the page, the filter form, and how much is hidden."""
    given = request.GET
    filters = [CatalogueFilter(given, queryset=queryset) for queryset in bases]
    sort = given.get("sort", "")
    sort = sort if sort.removeprefix("-") in catalogue.SORTS else "starred"
    disabled = sum(base.filter(status=EntityStatus.DISABLED).count() for base in bases)
    page = catalogue.page_of(
        [found.qs for found in filters],
        sort=sort,
        number=given.get("page"),
        size=given.get("size"),
    )
    chosen = {key: value for key, value in filters[0].form.cleaned_data.items() if value}
    context |= {
        "page": page,
        "sort": sort,
        "form": filters[0].form,
        "chosen": chosen,
        "filtered": bool(chosen.keys() - {"include_disabled"}),
        "disabled_count": disabled,
        "owners": _owners(bases),
    }
    name = "_catalogue.html" if request.htmx else "catalogue.html"
    return private(render(request, f"endpoints/{name}", context))


def _owners(bases: list) -> list[str]:
    names = [base.order_by().values_list("created_by", flat=True).distinct() for base in bases]
    found = names[0].union(*names[1:]) if names[1:] else names[0]
    return sorted(name for name in found if name)


@require_POST
def bulk(request):
    """Disable or enable the selected rows; before disabling, it asks and says what would stop."""
    require(reader(request), "disable")
    turning_off = request.POST.get("verb") == "disable"
    selected = _selected(request, active=turning_off)
    if turning_off and selected and "confirmed" not in request.POST:
        return _confirm(request, selected)
    verb = services.disable if turning_off else services.enable
    for target in selected:
        verb(request.actor, target)
    messages.success(request, _done(len(selected), turning_off=turning_off))
    return redirect(_back(request))


def _selected(request, *, active: bool) -> list:
    """The chosen rows of this workspace that the verb changes; the others are so already."""
    wanted = [text for text in request.POST.getlist("selected") if as_uuid(text)]
    status = EntityStatus.ACTIVE if active else EntityStatus.DISABLED
    return [
        row
        for model in (PipelineEndpoint, PublishedPipeline)
        for row in model.objects.filter(
            workspace=request.actor.workspace, uuid__in=wanted, status=status
        ).order_by("name")
    ]


def _confirm(request, selected: list):
    names = ", ".join(row.name for row in selected)
    context = {
        "nav": "endpoints",
        "title": ngettext("Disable %(name)s?", "Disable %(number)d of these?", len(selected))
        % {"name": names, "number": len(selected)},
        "text": _("From now on every submission of these is refused: %(names)s.")
        % {"names": names},
        "consequences": what_stops(selected),
        "action": f"{reverse('endpoints:endpoint-bulk')}?{request.GET.urlencode()}",
        "submit": _("Disable"),
        "danger": True,
        "cancel_url": _back(request),
        "parent": _("Pipelines"),
        "hidden": [
            ("verb", "disable"),
            ("confirmed", "1"),
            *(("selected", row.uuid) for row in selected),
        ],
    }
    return render(request, "confirm.html", context)


def _back(request) -> str:
    """Redirect to the list that the command came from, with its filters."""
    query = request.GET.copy()
    shown = "pipeline-list" if query.pop("list", None) else "endpoint-list"
    return f"{reverse(f'endpoints:{shown}')}?{query.urlencode()}"


def _done(count: int, *, turning_off: bool) -> str:
    if not count:
        return _("Nothing to change: select a row that the command can change.")
    if turning_off:
        said = ngettext("%(number)d is disabled.", "%(number)d are disabled.", count)
    else:
        said = ngettext("%(number)d is enabled.", "%(number)d are enabled.", count)
    return said % {"number": count}

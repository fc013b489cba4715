"""The lists of pipeline endpoints and published pipelines, and their bulk commands."""

from django.contrib import messages
from django.shortcuts import redirect, render
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
from studio.core.ui.dialogs import ask, list_address, selected
from studio.core.ui.fragments import private


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
    rows = _selected(request, active=turning_off)
    if turning_off and rows and "confirmed" not in request.POST:
        return _confirm(request, rows)
    verb = services.disable if turning_off else services.enable
    verb(request.actor, *rows)
    messages.success(request, _done(len(rows), turning_off=turning_off))
    return redirect(_back(request))


def _selected(request, *, active: bool) -> list:
    """The chosen rows of this workspace that the verb changes; the others are so already."""
    status = EntityStatus.ACTIVE if active else EntityStatus.DISABLED
    return [
        row
        for model in (PipelineEndpoint, PublishedPipeline)
        for row in model.objects.filter(
            workspace=request.actor.workspace, uuid__in=selected(request), status=status
        ).order_by("name")
    ]


def _confirm(request, rows: list):
    names = ", ".join(row.name for row in rows)
    return ask(
        request,
        nav="endpoints",
        title=ngettext("Disable %(name)s?", "Disable %(number)d of these?", len(rows))
        % {"name": names, "number": len(rows)},
        text=_("From now on every submission of these is refused: %(names)s.") % {"names": names},
        consequences=what_stops(rows),
        submit=_("Disable"),
        cancel_url=_back(request),
        parent=_("Pipelines"),
        hidden=[
            ("verb", "disable"),
            ("confirmed", "1"),
            *(("selected", row.uuid) for row in rows),
        ],
    )


def _back(request) -> str:
    query = request.GET.copy()
    shown = "pipeline-list" if query.pop("list", None) else "endpoint-list"
    return list_address(f"endpoints:{shown}", query)


def _done(count: int, *, turning_off: bool) -> str:
    if not count:
        return _("Nothing to change: select a row that the command can change.")
    if turning_off:
        said = ngettext("%(number)d is disabled.", "%(number)d are disabled.", count)
    else:
        said = ngettext("%(number)d is enabled.", "%(number)d are enabled.", count)
    return said % {"number": count}

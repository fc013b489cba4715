"""The page of one published pipeline, and its commands."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from endpoints import blueprints, services
from endpoints.models import EndpointVersion, PublishedPipeline
from endpoints.views import consume, step
from endpoints.views.favourites import star_of
from endpoints.wire.entities import pipeline_url
from runs.parts import history, timetable
from runs.parts.definitions import find_pipeline
from runs.parts.disabling import what_stops
from studio.core.access import require
from studio.core.rest.views import base_url
from studio.core.ui.decorators import form_view
from studio.core.ui.dialogs import ask
from studio.core.ui.fragments import private


def _frame(request, uuid, current: str) -> dict:
    pipeline = find_pipeline(request, uuid)
    labels = {
        "detail": _("Details"),
        "runs": _("Runs"),
        "schedules": _("Schedules"),
        "consume": _("Consume"),
    }
    return {
        "nav": "pipelines",
        "pipeline": pipeline,
        "places": _places(pipeline),
        "why_disabled": services.why_disabled(None, pipeline),
        "current": current,
        "star": star_of(request, pipeline),
        "tabs": [
            {
                "label": label,
                "url": reverse(f"endpoints:pipeline-{key}", args=[pipeline.uuid]),
                "current": key == current,
            }
            for key, label in labels.items()
        ],
    }


def _places(pipeline: PublishedPipeline) -> list[EndpointVersion]:
    """The endpoints this pipeline is a version of."""
    rows = pipeline.endpoint_versions.select_related("endpoint")
    return list(rows.order_by("endpoint__name"))


@require_safe
def pipeline_detail(request, uuid):
    context = _frame(request, uuid, "detail")
    pipeline = context["pipeline"]
    context |= {
        "rest_url": pipeline_url(pipeline, base_url(request)),
        "stats": history.statistics(pipeline=pipeline),
        **step.beside(request, pipeline),
    }
    name = "_pipeline_overview.html" if request.htmx else "pipeline_detail.html"
    return private(render(request, f"endpoints/{name}", context))


@require_safe
def pipeline_runs(request, uuid):
    context = _frame(request, uuid, "runs")
    context |= history.tab(request, pipeline=context["pipeline"])
    name = "_runs.html" if request.htmx else "pipeline_runs.html"
    return private(render(request, f"endpoints/{name}", context))


@require_safe
def pipeline_schedules(request, uuid):
    context = _frame(request, uuid, "schedules")
    context |= timetable.tab(request, "pipeline", context["pipeline"])
    return render(request, "endpoints/pipeline_schedules.html", context)


@require_safe
def pipeline_consume(request, uuid):
    context = _frame(request, uuid, "consume")
    pipeline = context["pipeline"]
    call = consume.Call(
        url=pipeline_url(pipeline, base_url(request)),
        experiment=pipeline.name,
        parameters=blueprints.load(pipeline.graph.uuid).parameters,
        sdk_lookup=consume.pipeline_lookup(pipeline.uuid),
    )
    return render(request, "endpoints/pipeline_consume.html", context | consume.page(call))


@form_view
def pipeline_disable(request, uuid):
    pipeline = find_pipeline(request, uuid)
    require(request.actor, "disable", pipeline)
    if request.method != "POST":
        return _ask_disable(request, pipeline)
    services.disable(request.actor, pipeline)
    messages.success(request, _("%(name)s is disabled.") % {"name": pipeline.name})
    _offer_another_default(request, pipeline)
    return redirect(pipeline)


def _ask_disable(request, pipeline: PublishedPipeline):
    refusing = [
        _("It is the default of %(name)s, which will refuse until another version is the default.")
        % {"name": place.endpoint.name}
        for place in _places(pipeline)
        if place.pk == place.endpoint.default_version_id
    ]
    return ask(
        request,
        nav="pipelines",
        title=_("Disable %(name)s?") % {"name": pipeline.name},
        text=_("From now on every submission of this published pipeline is refused."),
        consequences=[*refusing, *what_stops([pipeline])],
        submit=_("Disable"),
        cancel_url=pipeline.get_absolute_url(),
        parent=pipeline.name,
    )


def _offer_another_default(request, pipeline: PublishedPipeline) -> None:
    for place in _places(pipeline):
        if place.pk != place.endpoint.default_version_id:
            continue
        said = _("{name} now refuses calls, because this is its default version. {link}")
        link = format_html(
            '<a href="{}">{}</a>',
            reverse("endpoints:endpoint-versions", args=[place.endpoint.uuid]),
            _("Choose another default"),
        )
        messages.warning(request, format_html(said, name=place.endpoint.name, link=link))


@require_POST
def pipeline_enable(request, uuid):
    pipeline = find_pipeline(request, uuid)
    services.enable(request.actor, pipeline)
    messages.success(request, _("%(name)s is enabled.") % {"name": pipeline.name})
    return redirect(pipeline)

"""The page of one pipeline endpoint: graph, versions, runs, how to call it, and its commands."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from endpoints import services
from endpoints.forms.endpoint import EndpointForm
from endpoints.models import EndpointVersion, PipelineEndpoint
from endpoints.views import consume, step, versions
from endpoints.views.favourites import star_of
from endpoints.wire.entities import endpoint_url
from runs.parts import history, timetable
from runs.parts.definitions import (
    asked_version,
    find_endpoint,
    find_version,
    offered_versions,
    versions_of,
)
from runs.parts.disabling import what_stops
from studio.core.access import require
from studio.core.db.keyset import paginate
from studio.core.rest.views import base_url
from studio.core.ui.decorators import form_view
from studio.core.ui.dialogs import ask
from studio.core.ui.forms import attempt
from studio.core.ui.fragments import private
from studio.core.ui.paging import place


def _frame(request, uuid, current: str) -> dict:
    """The context that all tabs share: heading, tabs, commands, and the selected version."""
    endpoint = find_endpoint(request, uuid)
    offered, selected = offered_versions(endpoint, request.GET.get("version", ""))
    pipeline = selected.pipeline if selected else None
    is_default = selected is None or selected.pk == endpoint.default_version_id
    return {
        "nav": "endpoints",
        "endpoint": endpoint,
        "versions": offered,
        "selected": selected,
        "is_default": is_default,
        "which": "" if is_default else f"?version={selected.number}",
        "why_disabled": services.why_disabled(endpoint, pipeline, selected),
        "default_disabled": bool(
            endpoint.default_version and not endpoint.default_version.pipeline.is_active
        ),
        "tabs": _tabs(endpoint, offered, current),
        "current": current,
        "star": star_of(request, endpoint),
    }


def _tabs(endpoint: PipelineEndpoint, newest: list[EndpointVersion], current: str) -> list[dict]:
    count = newest[0].number + 1 if newest else 0  # no version is ever removed
    labels = {
        "detail": _("Details"),
        "versions": _("Published pipelines"),
        "runs": _("Runs"),
        "schedules": _("Schedules"),
        "consume": _("Consume"),
    }
    return [
        {
            "label": label,
            "url": reverse(f"endpoints:endpoint-{key}", args=[endpoint.uuid]),
            "current": key == current,
            "count": count if key == "versions" else None,
        }
        for key, label in labels.items()
    ]


@require_safe
def endpoint_detail(request, uuid):
    context = _frame(request, uuid, "detail")
    endpoint, selected = context["endpoint"], context["selected"]
    context |= {
        "rest_url": endpoint_url(endpoint, base_url(request)),
        "stats": history.statistics(endpoint=endpoint),
        **(step.beside(request, selected.pipeline) if selected else {}),
    }
    name = "_endpoint_overview.html" if request.htmx else "endpoint_detail.html"
    return private(render(request, f"endpoints/{name}", context))


@require_safe
def endpoint_versions(request, uuid):
    context = _frame(request, uuid, "versions")
    endpoint = context["endpoint"]
    page = paginate(versions_of(endpoint), **place(request.GET))
    context |= {"page": page, "rows": versions.rows_of(endpoint, page)}
    return render(request, "endpoints/endpoint_versions.html", context)


@require_safe
def endpoint_runs(request, uuid):
    context = _frame(request, uuid, "runs")
    context |= history.tab(request, endpoint=context["endpoint"])
    name = "_runs.html" if request.htmx else "endpoint_runs.html"
    return private(render(request, f"endpoints/{name}", context))


@require_safe
def endpoint_schedules(request, uuid):
    context = _frame(request, uuid, "schedules")
    context |= timetable.tab(request, "endpoint", context["endpoint"])
    return render(request, "endpoints/endpoint_schedules.html", context)


@require_safe
def endpoint_consume(request, uuid):
    context = _frame(request, uuid, "consume")
    endpoint, selected = context["endpoint"], context["selected"]
    call = consume.Call(
        url=endpoint_url(endpoint, base_url(request)),
        experiment=endpoint.name,
        parameters=versions.parameters_of(selected) if selected else {},
        sdk_lookup=consume.endpoint_lookup(endpoint.name),
    )
    return render(
        request,
        "endpoints/endpoint_consume.html",
        context | consume.page(call, limited_to=endpoint.uuid),
    )


@form_view
def endpoint_edit(request, uuid):
    endpoint = find_endpoint(request, uuid)
    require(request.actor, "edit", endpoint)
    form = EndpointForm.of(endpoint, request.POST or None)
    if request.method == "POST" and form.is_valid():
        changes = form.cleaned_data
        saved = attempt(
            request, form, lambda: services.configure(request.actor, endpoint, **changes)
        )
        if saved is not None:
            messages.success(request, _("%(name)s is saved.") % {"name": endpoint.name})
            return redirect(endpoint)
    context = {"nav": "endpoints", "endpoint": endpoint, "form": form}
    return render(request, "endpoints/endpoint_edit.html", context)


@form_view
def endpoint_disable(request, uuid):
    endpoint = find_endpoint(request, uuid)
    require(request.actor, "disable", endpoint)
    if request.method != "POST":
        return _ask_disable(request, endpoint)
    services.disable(request.actor, endpoint)
    messages.warning(
        request, _("%(name)s is disabled: every call is refused.") % {"name": endpoint.name}
    )
    return redirect(endpoint)


def _ask_disable(request, endpoint: PipelineEndpoint):
    return ask(
        request,
        nav="endpoints",
        title=_("Disable %(name)s?") % {"name": endpoint.name},
        text=_("From now on every submission of it is refused."),
        consequences=what_stops([endpoint]),
        submit=_("Disable"),
        cancel_url=endpoint.get_absolute_url(),
        parent=endpoint.name,
    )


@require_POST
def endpoint_enable(request, uuid):
    endpoint = find_endpoint(request, uuid)
    services.enable(request.actor, endpoint)
    messages.success(request, _("%(name)s is enabled.") % {"name": endpoint.name})
    return redirect(endpoint)


@form_view
def endpoint_set_default(request, uuid):
    """Asks first, showing how parameters change, because callers get a new default at once."""
    endpoint = find_endpoint(request, uuid)
    require(request.actor, "edit", endpoint)
    wanted = find_version(endpoint, asked_version(request))
    if request.method != "POST":
        return _ask_default(request, endpoint, wanted)
    services.set_default(request.actor, endpoint, wanted)
    said = _("Version %(number)d is the default of %(name)s.")
    messages.success(request, said % {"number": wanted.number, "name": endpoint.name})
    return redirect("endpoints:endpoint-versions", uuid)


def _ask_default(request, endpoint: PipelineEndpoint, wanted: EndpointVersion):
    before = endpoint.default_version
    parameters = versions.parameters_of(before) if before else {}
    return ask(
        request,
        nav="endpoints",
        title=_("Make version %(number)d the default?") % {"number": wanted.number},
        text=_("Callers of %(name)s get version %(number)d at once. What changes for them:")
        % {"name": endpoint.name, "number": wanted.number},
        consequences=versions.differences(parameters, versions.parameters_of(wanted)),
        submit=_("Set as default"),
        cancel_url=reverse("endpoints:endpoint-versions", args=[endpoint.uuid]),
        parent=endpoint.name,
        hidden=[("version", wanted.number)],
        danger=False,
    )

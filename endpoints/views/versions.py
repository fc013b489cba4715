"""The versions of an endpoint: how each has run, and what a new default would change for
callers."""

from collections.abc import Iterable

from django.db.models import Count, OuterRef, Subquery
from django.utils.translation import gettext as _

from endpoints import blueprints
from endpoints.models import EndpointVersion, PipelineEndpoint
from endpoints.parameters import Parameter
from endpoints.services import why_disabled
from endpoints.views.drawing import shown_default
from runs.models import Run
from runs.parts.history import COUNTED


def rows_of(endpoint: PipelineEndpoint, versions: Iterable[EndpointVersion]) -> list[dict]:
    """Each version with the number of its runs through this endpoint and how the last one ended."""
    newest = Run.objects.filter(endpoint=endpoint).order_by("-pk").values("pk")[:COUNTED]
    counts = dict(
        Run.objects.filter(pk__in=newest)
        .order_by()
        .values_list("endpoint_version")
        .annotate(Count("pk"))
    )
    more = "+" if sum(counts.values()) == COUNTED else ""
    last = Run.objects.filter(pipeline=OuterRef("pipeline"), endpoint=endpoint).order_by("-pk")
    shown = endpoint.versions.filter(pk__in=[version.pk for version in versions])
    statuses = dict(shown.values_list("number", Subquery(last.values("status")[:1])))
    return [
        {
            "version": version,
            "total": f"{counts.get(version.number, 0)}{more}",
            "last_status": statuses.get(version.number),
            "is_default": version.pk == endpoint.default_version_id,
            "which": f"?version={version.number}",
            "why_disabled": why_disabled(endpoint, version.pipeline, version),
        }
        for version in versions
    ]


def parameters_of(version: EndpointVersion) -> dict[str, Parameter]:
    return dict(blueprints.load(version.pipeline.graph.uuid).parameters)


def differences(before: dict[str, Parameter], after: dict[str, Parameter]) -> list[str]:
    """A sentence for every parameter that a new default adds, removes or changes."""
    added = [
        _("%(name)s is added (%(kind)s, default %(default)s).") % _words(after[name])
        if after[name].default is not None
        else _("%(name)s is added (%(kind)s): callers must give it.") % _words(after[name])
        for name in after
        if name not in before
    ]
    removed = [
        _("%(name)s is removed: a value for it is ignored with a warning.") % {"name": name}
        for name in before
        if name not in after
    ]
    changed = [
        sentence
        for name, parameter in after.items()
        if name in before
        for sentence in _changes(before[name], parameter)
    ]
    found = [*added, *removed, *changed]
    return found or [_("The parameters and their defaults are the same.")]


def _changes(before: Parameter, after: Parameter) -> list[str]:
    found = []
    if before.kind != after.kind:
        found.append(
            _("%(name)s: type %(before)s becomes %(after)s.")
            % {"name": after.name, "before": before.kind, "after": after.kind}
        )
    if before.default != after.default:
        found.append(
            _("%(name)s: default %(before)s becomes %(after)s.")
            % {
                "name": after.name,
                "before": shown_default(before) or "--",
                "after": shown_default(after) or "--",
            }
        )
    return found


def _words(parameter: Parameter) -> dict:
    return {
        "name": parameter.name,
        "kind": parameter.kind,
        "default": shown_default(parameter) or '""',
    }

"""Definitions that a page may show: rows of the reader's workspace only."""

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from endpoints.models import EndpointVersion, PipelineEndpoint, PublishedPipeline
from studio.core.access import Actor, require

VERSIONS_OFFERED = 50  # in a menu or form; the tab of the endpoint lists all


def reader(request) -> Actor:
    """The actor of a page; raises Forbidden without the role Reader."""
    require(request.actor, "read")
    return request.actor


def find_endpoint(request, uuid) -> PipelineEndpoint:
    rows = PipelineEndpoint.objects.select_related("workspace", "default_version__pipeline")
    return get_object_or_404(rows, workspace=reader(request).workspace, uuid=uuid)


def asked_version(request) -> str:
    """The version number in a form or in a link to one; "" for none."""
    given = request.POST if request.method == "POST" else request.GET
    return given.get("version", "")


def find_pipeline(request, uuid) -> PublishedPipeline:
    rows = PublishedPipeline.objects.select_related("workspace", "graph")
    rows = rows.defer("graph__wire", "graph__interface")
    return get_object_or_404(rows, workspace=reader(request).workspace, uuid=uuid)


def versions_of(endpoint: PipelineEndpoint) -> QuerySet[EndpointVersion]:
    """Versions of an endpoint, newest first, each with its pipeline."""
    rows = endpoint.versions.select_related("pipeline__graph", "pipeline__workspace")
    rows = rows.defer("pipeline__graph__wire", "pipeline__graph__interface")
    return rows.order_by("-number")


def offered_versions(
    endpoint: PipelineEndpoint, number: str
) -> tuple[list[EndpointVersion], EndpointVersion | None]:
    """The newest versions and the one of this number, which is among them, too. Without a number it is
    the default, which an endpoint may lack; a number that does not exist raises 404."""
    rows = list(versions_of(endpoint)[:VERSIONS_OFFERED])
    if not number and endpoint.default_version_id is None:
        return rows, None
    for row in rows:
        if str(row.number) == number if number else row.pk == endpoint.default_version_id:
            return rows, row
    older = find_version(endpoint, number or str(endpoint.default_version.number))
    return [*rows, older], older


def find_version(endpoint: PipelineEndpoint, number: str) -> EndpointVersion:
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Http404
    return get_object_or_404(versions_of(endpoint), number=int(number))

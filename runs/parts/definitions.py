"""Definitions that a page may show: rows of the reader's workspace only."""

from django.shortcuts import get_object_or_404

from endpoints.models import EndpointVersion, PipelineEndpoint, PublishedPipeline
from studio.core.access import Actor, require


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


def versions_of(endpoint: PipelineEndpoint) -> list[EndpointVersion]:
    """Versions of an endpoint, newest first, each with its pipeline."""
    rows = endpoint.versions.select_related("pipeline__graph", "pipeline__workspace")
    rows = rows.defer("pipeline__graph__wire", "pipeline__graph__interface")
    return list(rows.order_by("-number"))

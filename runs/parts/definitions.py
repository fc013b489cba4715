"""What a page may look up: rows of the workspace a person is in, and nothing else."""

from django.shortcuts import get_object_or_404

from endpoints.models import EndpointVersion, PipelineEndpoint, PublishedPipeline
from studio.core.access import Actor, require


def reader(request) -> Actor:
    """Who asks, and may read."""
    require(request.actor, "read")
    return request.actor


def find_endpoint(request, uuid) -> PipelineEndpoint:
    rows = PipelineEndpoint.objects.select_related("workspace", "default_version__pipeline")
    return get_object_or_404(rows, workspace=reader(request).workspace, uuid=uuid)


def asked_version(request) -> str:
    """The number that a form, or a link to one, names; "" for none."""
    given = request.POST if request.method == "POST" else request.GET
    return given.get("version", "")


def find_pipeline(request, uuid) -> PublishedPipeline:
    rows = PublishedPipeline.objects.select_related("workspace", "graph")
    rows = rows.defer("graph__wire", "graph__interface")
    return get_object_or_404(rows, workspace=reader(request).workspace, uuid=uuid)


def versions_of(endpoint: PipelineEndpoint) -> list[EndpointVersion]:
    """Newest first, each with its pipeline."""
    rows = endpoint.versions.select_related("pipeline__graph", "pipeline__workspace")
    rows = rows.defer("pipeline__graph__wire", "pipeline__graph__interface")
    return list(rows.order_by("-number"))

"""Pipeline endpoints: create, read by id and by name, list, replace (wire.md 6)."""

from rest_framework.response import Response

from endpoints import services
from endpoints.models import EntityStatus, PipelineEndpoint
from endpoints.wire import catalogue
from endpoints.wire.bodies import ChangedEndpoint, NewEndpoint
from endpoints.wire.entities import (
    PipelineEndpointEntity,
    PipelineEntity,
    pipeline_endpoint_entity,
    pipeline_entity,
)
from endpoints.wire.fields import FIELD_NAMES
from studio.core.errors import BadValue
from studio.core.rest.bodies import Body, flag_of, query_text
from studio.core.rest.schema import ACTIVE_ONLY, documented, query
from studio.core.rest.views import WireView, find, find_by_name


def endpoint_by_name(actor, name: str) -> PipelineEndpoint:
    """The endpoint of exactly this name, as in v1. A 404 tells the SDK that the name is free."""
    if not name:
        raise BadValue("The query needs name=<the endpoint's name>.", target="name")
    return find_by_name(catalogue.endpoints(actor), name, "Pipeline endpoint")


class CreateEndpoint(WireView):
    field_names = FIELD_NAMES

    @documented(takes=NewEndpoint, gives=PipelineEndpointEntity)
    def post(self, request, **scope):
        given = NewEndpoint.read(Body(request.data))
        given["pipeline"] = find(
            catalogue.pipelines(self.actor), given["pipeline"], "Published pipeline"
        )
        endpoint = services.create_endpoint(self.actor, **given)
        return Response(pipeline_endpoint_entity(self.fresh(endpoint), self.base_url))

    def fresh(self, endpoint):
        return catalogue.endpoints(self.actor).get(pk=endpoint.pk)


class EndpointList(WireView):
    for_endpoint_tokens = True

    @documented(gives=list[PipelineEndpointEntity], parameters=[ACTIVE_ONLY])
    def get(self, request, **scope):
        endpoints = catalogue.endpoints(self.actor).order_by("-pk")
        if flag_of(request.query_params, "activeOnly", True):
            endpoints = endpoints.filter(status=EntityStatus.ACTIVE)
        return Response([pipeline_endpoint_entity(row, self.base_url) for row in endpoints])


class EndpointByName(WireView):
    for_endpoint_tokens = True

    @documented(gives=PipelineEndpointEntity, parameters=[query("Name", "The exact name.")])
    def get(self, request, **scope):
        endpoint = endpoint_by_name(self.actor, query_text(request.query_params, "name"))
        return Response(pipeline_endpoint_entity(endpoint, self.base_url))


class EndpointById(WireView):
    for_endpoint_tokens = True

    @documented(gives=PipelineEndpointEntity)
    def get(self, request, uuid, **scope):
        endpoint = find(catalogue.endpoints(self.actor), uuid, "Pipeline endpoint")
        return Response(pipeline_endpoint_entity(endpoint, self.base_url))


class ReplaceEndpoint(WireView):
    """Takes a PUT of the whole entity with the client's changes. An old Etag is refused, so that no
    change of somebody else is lost."""

    field_names = FIELD_NAMES

    @documented(takes=ChangedEndpoint, gives=PipelineEndpointEntity)
    def put(self, request, uuid, **scope):
        endpoint = find(catalogue.endpoints(self.actor), uuid, "Pipeline endpoint")
        services.update_endpoint(self.actor, endpoint, **self.changes(Body(request.data)))
        fresh = catalogue.endpoints(self.actor).get(pk=endpoint.pk)
        return Response(pipeline_endpoint_entity(fresh, self.base_url))

    def changes(self, body: Body) -> dict:
        """The arguments of `update_endpoint`."""
        changes = ChangedEndpoint.read(body)
        changes["etag"] = changes.get("etag") or None
        if "versions" in changes:
            changes["versions"] = self.versions(changes["versions"])
        return changes

    def versions(self, rows: list[dict]) -> dict:
        """`{number: pipeline}` of the posted list."""
        versions: dict = {}
        for row in rows:
            if row["number"] in versions:
                raise BadValue(
                    f"Version {row['number']} is listed twice.",
                    target="PipelineVersionList.Version",
                )
            versions[row["number"]] = find(
                catalogue.pipelines(self.actor), row["pipeline"], "Published pipeline"
            )
        return versions


class EndpointPipelines(WireView):
    for_endpoint_tokens = True

    @documented(gives=list[PipelineEntity], parameters=[ACTIVE_ONLY])
    def get(self, request, uuid, **scope):
        endpoint = find(catalogue.endpoints(self.actor), uuid, "Pipeline endpoint")
        numbers = {row.pipeline_id: row.number for row in endpoint.versions.all()}
        pipelines = catalogue.pipelines(self.actor).filter(pk__in=numbers).distinct()
        if flag_of(request.query_params, "activeOnly", True):
            pipelines = pipelines.filter(status=EntityStatus.ACTIVE)
        in_order = sorted(pipelines, key=lambda pipeline: numbers[pipeline.pk])
        return Response([pipeline_entity(pipeline, self.base_url) for pipeline in in_order])

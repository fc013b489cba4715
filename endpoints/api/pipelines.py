"""Published pipelines: create, read, list, disable (wire.md 5)."""

from rest_framework.response import Response

from endpoints import services
from endpoints.models import EntityStatus
from endpoints.wire import catalogue
from endpoints.wire.bodies import NewPipeline
from endpoints.wire.entities import DATA_TYPES, PipelineEntity, data_type, pipeline_entity
from endpoints.wire.fields import FIELD_NAMES, Status, entity_status
from studio.core.rest.bodies import Body, flag_of
from studio.core.rest.schema import ACTIVE_ONLY, documented
from studio.core.rest.views import WireView, find


class DataTypes(WireView):
    """Lists the data types, which every pipelines client reads first."""

    for_endpoint_tokens = for_run_tokens = True

    def get(self, request, **scope):
        return Response([data_type(name) for name in DATA_TYPES])


class CreatePipeline(WireView):
    field_names = FIELD_NAMES

    @documented(takes=NewPipeline, gives=PipelineEntity)
    def post(self, request, **scope):
        pipeline = services.publish(self.actor, **NewPipeline.read(Body(request.data)))
        return Response(pipeline_entity(pipeline, self.base_url))


class PipelineList(WireView):
    for_endpoint_tokens = True

    @documented(gives=list[PipelineEntity], parameters=[ACTIVE_ONLY])
    def get(self, request, **scope):
        pipelines = catalogue.pipelines(self.actor).order_by("-pk")
        if flag_of(request.query_params, "activeOnly", True):
            pipelines = pipelines.filter(status=EntityStatus.ACTIVE)
        return Response([pipeline_entity(pipeline, self.base_url) for pipeline in pipelines])


class PipelineDetail(WireView):
    for_endpoint_tokens = True

    @documented(gives=PipelineEntity)
    def get(self, request, uuid, **scope):
        pipeline = find(catalogue.pipelines(self.actor), uuid, "Published pipeline")
        return Response(pipeline_entity(pipeline, self.base_url))


class PipelineStatus(WireView):
    """Enables or disables a pipeline: the body is a bare JSON text, the answer an empty 200."""

    @documented(takes=Status)
    def put(self, request, uuid, **scope):
        pipeline = find(catalogue.pipelines(self.actor), uuid, "Published pipeline")
        active = entity_status(request.data, name="body") == EntityStatus.ACTIVE
        change = services.enable if active else services.disable
        change(self.actor, pipeline)
        return Response(status=200)

"""Compute targets as the resource manager shows them (wire 4.5). A target is a queue of ours, so every
operation on one is over when it is answered."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from endpoints import services
from endpoints.api.entities import compute_resource
from endpoints.models import ComputeTarget
from studio.core.access import Actor
from studio.core.bodies import Body
from studio.core.rest import WireView, find_by_name


def computes(actor: Actor):
    return ComputeTarget.objects.filter(workspace=actor.workspace).select_related("workspace")


class ComputeView(WireView):
    def answer(self, body=None) -> Response:
        """Clients raise where this header is missing, and ask there until it says that all is done."""
        scope = self.actor.workspace.scope
        return Response(
            body,
            headers={"Azure-AsyncOperation": f"{self.base_url}{scope}/computeOperations/done"},
        )


class ComputeList(ComputeView):
    for_run_tokens = True

    def get(self, request, **scope):
        rows = [compute_resource(row) for row in computes(self.actor).order_by("name")]
        return Response({"value": rows})  # the client follows any nextLink, also null


class ComputeDetail(ComputeView):
    """404 is what the usual "use it or create it" of scripts waits for."""

    for_run_tokens = True

    def target(self, name: str) -> ComputeTarget:
        return find_by_name(computes(self.actor), name, "Compute target")

    def get(self, request, name, **scope):
        return Response(compute_resource(self.target(name)))

    def put(self, request, name, **scope):
        body = Body(request.data)
        outer = Body(body.mapping("properties"), name="properties")
        inner = Body(outer.mapping("properties"), name="properties.properties")
        self.check_scale(inner)
        target = services.put_compute(
            self.actor,
            name=name,
            compute_type=outer.text("computeType", required=True),
            vm_size=inner.text("vmSize", longest=64),
            description=outer.text("description"),
            tags=body.texts("tags"),
            wire={"scaleSettings": inner.mapping("scaleSettings")},
        )
        return self.answer(compute_resource(target))

    def patch(self, request, name, **scope):
        """`AmlCompute.update`: how far it scales, which is kept for the client to read again."""
        target = self.target(name)
        outer = Body(Body(request.data).mapping("properties"), name="properties")
        inner = Body(outer.mapping("properties"), name="properties.properties")
        self.check_scale(inner)
        settings = {**target.wire.get("scaleSettings", {}), **inner.mapping("scaleSettings")}
        changed = services.put_compute(
            self.actor,
            name=name,
            description=target.description,
            tags=target.tags,
            wire={"scaleSettings": settings},
        )
        return self.answer(compute_resource(changed))

    def delete(self, request, name, **scope):
        services.remove_compute(self.actor, self.target(name))
        return self.answer()

    def check_scale(self, inner: Body) -> None:
        scale = Body(inner.mapping("scaleSettings"), name="scaleSettings")
        for key in ("minNodeCount", "maxNodeCount"):
            if not isinstance(scale.get(key), int | None):
                raise scale.wrong(key, "a whole number")
        scale.text("nodeIdleTimeBeforeScaleDown")


class ComputeOperation(WireView):
    @extend_schema(operation_id="compute_operation")
    def get(self, request, **scope):
        return Response({"status": "Succeeded"})

"""Compute targets as the resource manager shows them (wire.md 4.5). A target is a queue of ours, so
every operation has finished when it is answered."""

import os

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from endpoints import services
from endpoints.models import ComputeTarget
from studio.api.arm import BelowSubscription
from studio.api.nodes import Nodes, compute_resource
from studio.core.access import Actor
from studio.core.errors import BadValue
from studio.core.rest.bodies import Body
from studio.core.rest.views import WireView, find_by_name

MOST_NODES = 10_000


def computes(actor: Actor):
    return ComputeTarget.objects.filter(workspace=actor.workspace).select_related("workspace")


class ComputeView(WireView):
    field_names = {"compute_type": "computeType", "vm_size": "vmSize", "wire": "properties"}

    def target(self, name: str) -> ComputeTarget:
        return find_by_name(computes(self.actor), name, "Compute target")

    def resource(self, target: ComputeTarget) -> dict:
        return compute_resource(target, Nodes().of(target))

    def answer(self, body=None) -> Response:
        """A response with the header that clients require, and poll until the operation is done."""
        scope = self.actor.workspace.scope
        return Response(
            body,
            headers={"Azure-AsyncOperation": f"{self.base_url}{scope}/computeOperations/done"},
        )


class ComputeList(ComputeView):
    for_run_tokens = True

    def get(self, request, **scope):
        nodes = Nodes()
        targets = computes(self.actor).order_by("name")
        rows = [compute_resource(target, nodes.of(target)) for target in targets]
        return Response({"value": rows})  # the client follows any nextLink, even null


class ComputeDetail(ComputeView):
    """404 is what "use it or create it" code in scripts expects."""

    for_run_tokens = True

    def get(self, request, name, **scope):
        return Response(self.resource(self.target(name)))

    def put(self, request, name, **scope):
        body = Body(request.data)
        outer = Body(body.mapping("properties"), name="properties")
        inner = Body(outer.mapping("properties"), name="properties.properties")
        scale = self.scale(inner, {})
        target = services.put_compute(
            self.actor,
            name=name,
            compute_type=outer.text("computeType", required=True),
            vm_size=inner.text("vmSize", longest=64),
            description=outer.text("description"),
            tags=body.texts("tags"),
            wire={"scaleSettings": scale},
        )
        return self.answer(self.resource(target))

    def patch(self, request, name, **scope):
        """`AmlCompute.update`: the scale settings, stored for the client to read."""
        target = self.target(name)
        body = Body(request.data)
        if "identity" in body:
            raise BadValue(
                "A compute target has no identity here: each step signs in by the token of its run.",
                target="identity",
            )
        outer = Body(body.mapping("properties"), name="properties")
        inner = Body(outer.mapping("properties"), name="properties.properties")
        scale = self.scale(inner, target.wire.get("scaleSettings") or {})
        changed = services.put_compute(
            self.actor,
            name=name,
            description=target.description,
            tags=target.tags,
            wire={"scaleSettings": scale},
        )
        return self.answer(self.resource(changed))

    def delete(self, request, name, **scope):
        services.remove_compute(self.actor, self.target(name))
        return self.answer()

    def scale(self, inner: Body, known: dict) -> dict:
        """The scale settings: `known` ones, overridden by those that are sent."""
        sent, scale = Body(inner.mapping("scaleSettings"), name="scaleSettings"), dict(known)
        for key in ("minNodeCount", "maxNodeCount"):
            count = sent.get(key)
            if count is None:
                continue
            if type(count) is not int or not 0 <= count <= MOST_NODES:
                raise sent.wrong(key, f"a whole number from 0 to {MOST_NODES}")
            scale[key] = count
        if idle := sent.text("nodeIdleTimeBeforeScaleDown", longest=64):
            scale["nodeIdleTimeBeforeScaleDown"] = idle
        if scale.get("minNodeCount", 0) > scale.get("maxNodeCount", MOST_NODES):
            raise BadValue(
                f"minNodeCount is {scale['minNodeCount']}, more than maxNodeCount, which is"
                f" {scale['maxNodeCount']}.",
                target="minNodeCount",
            )
        return scale


class ComputeNodes(ComputeView):
    """`AmlCompute.list_nodes`."""

    for_run_tokens = True

    def post(self, request, name, **scope):
        return Response({"nodes": [node.as_dict() for node in Nodes().of(self.target(name))]})


class Sizes(BelowSubscription):
    """`AmlCompute.supported_vmsizes`. A size is only stored with a target. A step gets its worker's
    machine, so the one listed size is that of this machine."""

    for_run_tokens = True

    def get(self, request, **scope):
        sizes = computes(self.actor).exclude(vm_size="").values_list("vm_size", flat=True)
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        machine = {
            "vCPUs": os.cpu_count() or 1,
            "gpus": 0,
            "memoryGB": round(memory, 1),
            "maxResourceVolumeMB": 0,
        }
        rows = [{"name": size, **machine} for size in sorted({"STANDARD_LOCAL", *sizes})]
        return Response({"amlCompute": rows})


class Limits(BelowSubscription):
    """`AmlCompute.list_usages` and `list_quotas`: there are no limits but the number of workers."""

    for_run_tokens = True

    def get(self, request, **scope):
        return Response({"value": []})


class ComputeOperation(WireView):
    @extend_schema(operation_id="compute_operation")
    def get(self, request, **scope):
        return Response({"status": "Succeeded"})

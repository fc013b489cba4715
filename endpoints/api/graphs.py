"""Graphs and modules: what pipelines are made of (wire.md 5, 8.4)."""

from rest_framework.response import Response

from endpoints import services
from endpoints.wire import catalogue
from endpoints.wire.entities import (
    graph_entity,
    graph_interface,
    module_entity,
    module_with_interface,
)
from endpoints.wire.fields import FIELD_NAMES
from studio.core.errors import NotFound
from studio.core.rest.bodies import Body
from studio.core.rest.views import WireView, find


class GraphDetail(WireView):
    for_endpoint_tokens = True

    def get(self, request, uuid, **scope):
        return Response(graph_entity(find(catalogue.graphs(self.actor), uuid, "Graph")))


class GraphInterface(WireView):
    for_endpoint_tokens = True

    def get(self, request, uuid, **scope):
        return Response(graph_interface(find(catalogue.graphs(self.actor), uuid, "Graph")))


def module_of(body: Body) -> dict:
    """The arguments of `services.create_module`, read from a posted module or module version."""
    return {
        "name": body.name("Name"),
        "description": body.text("Description"),
        "identifier_hash": body.text("IdentifierHash", longest=200),
        "is_deterministic": body.flag("IsDeterministic", True),
        "execution_type": body.text("ModuleExecutionType", "escloud", longest=40),
        "module_type": body.text("ModuleType", longest=40),
        "step_type": body.text("StepType", "PythonScriptStep", longest=60),
        "structured_interface": body.mapping("StructuredInterface"),
        "runconfig": body.text("Runconfig"),
        "cloud_settings": body.mapping("CloudSettings") or None,
        "storage_id": body.text("StorageId", longest=100),
        "is_interface_only": body.flag("IsInterfaceOnly", False),
        "properties": body.texts("Properties"),
    }


class Modules(WireView):
    field_names = FIELD_NAMES

    def post(self, request, **scope):
        module = services.create_module(self.actor, **module_of(Body(request.data)))
        return Response(module_entity(module))


class ModuleDetail(WireView):
    def get(self, request, uuid, **scope):
        return Response(module_with_interface(find(catalogue.modules(self.actor), uuid, "Module")))


class ModuleByHash(WireView):
    """Finds a module by its fingerprint; after a 404 the client uploads the step's code (wire.md
    8.1). Versions of named modules are left out, because they can be disabled."""

    def get(self, request, fingerprint, **scope):
        known = catalogue.modules(self.actor).filter(
            identifier_hash=fingerprint, named_version__isnull=True
        )
        newest = known.order_by("-pk").first()
        if newest is None:
            raise NotFound(f"There is no module with the fingerprint {fingerprint}.")
        return Response(module_with_interface(newest))

"""The resource manager's part of the wire: what a client asks before it asks anything else (4.1-4.5)."""

from rest_framework.response import Response
from rest_framework.views import APIView

from endpoints.api.entities import compute_resource
from endpoints.models import ComputeTarget
from studio.core.access import Actor
from studio.core.errors import NotFound
from studio.core.models import Workspace
from studio.core.rest import WireView, base_url

SERVICES = ("api", "experimentation", "history", "hyperdrive", "modelmanagement", "studio")


class OpenView(APIView):
    """A route that needs no caller; it reveals nothing but addresses."""

    authentication_classes = ()
    permission_classes = ()


class CloudMetadata(OpenView):
    """Wire 4.1. `/adfs/` in the login address keeps the client from asking the public cloud."""

    def get(self, request):
        base = base_url(request)
        authentication = {"loginEndpoint": f"{base}/adfs/-", "audiences": [f"{base}/"]}
        return Response(
            [
                {
                    "name": "AzureCloud",
                    "resourceManager": f"{base}/",
                    "portal": base,
                    "suffixes": {},
                    "authentication": authentication,
                }
            ]
        )


class Discovery(OpenView):
    """Wire 4.4: every service is here. No trailing slash."""

    def get(self, request, rest=""):
        return Response(dict.fromkeys(SERVICES, base_url(request)))


class Subscriptions(WireView):
    """Wire 4.3: the one subscription of the caller's workspace."""

    for_endpoint_tokens = for_run_tokens = True

    def get(self, request):
        subscription = self.actor.workspace.subscription_id
        row = {
            "id": f"/subscriptions/{subscription}",
            "subscriptionId": subscription,
            "displayName": "Pipeline Studio",
            "state": "Enabled",
            "tenantId": "studio",
        }
        return Response({"value": [row], "count": {"type": "Total", "value": 1}})


class WorkspaceDetail(WireView):
    for_endpoint_tokens = for_run_tokens = True

    def get(self, request, **scope):
        return Response(workspace_resource(self.actor.workspace, self.base_url))


class WorkspaceList(WireView):
    """The caller's one workspace, where it belongs to what the address names; else none."""

    for_endpoint_tokens = for_run_tokens = True

    def get(self, request, subscription, group=None):
        rows = [
            workspace_resource(row, self.base_url) for row in found(self.actor, subscription, group)
        ]
        return Response({"value": rows})


def found(actor: Actor, subscription: str, group: str | None) -> list[Workspace]:
    own = actor.workspace
    here = own.subscription_id.lower() == subscription.lower()
    if group is not None:
        here = here and own.resource_group.lower() == group.lower()
    return [own] if here else []


def workspace_resource(workspace: Workspace, base: str) -> dict:
    """Wire 4.3: the workspace document."""
    return {
        "id": workspace.scope,
        "name": workspace.name,
        "type": "Microsoft.MachineLearningServices/workspaces",
        "location": "selfhosted",
        "tags": {},
        "sku": {"name": "Basic", "tier": "Basic"},
        "properties": {
            "workspaceId": str(workspace.uuid),
            "discoveryUrl": f"{base}/discovery",
            "friendlyName": workspace.name,
            "description": "",
            "creationTime": workspace.created_at.isoformat(),
            "provisioningState": "Succeeded",
            "storageAccount": "",
            "keyVault": "",
            "applicationInsights": "",
        },
    }


class ComputeList(WireView):
    for_run_tokens = True

    def get(self, request, **scope):
        rows = [compute_resource(row) for row in computes(self.actor).order_by("name")]
        return Response({"value": rows})  # the client follows any nextLink, also null


class ComputeDetail(WireView):
    """404 is what the usual "use it or create it" of scripts waits for."""

    for_run_tokens = True

    def get(self, request, name, **scope):
        compute = computes(self.actor).filter(name=name).first()
        if compute is None:
            raise NotFound(f"Compute target {name!r} was not found in this workspace.")
        return Response(compute_resource(compute))


def computes(actor: Actor):
    return ComputeTarget.objects.filter(workspace=actor.workspace).select_related("workspace")

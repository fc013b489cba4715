"""The resource manager: what a client asks first, to find its workspace (wire.md 4.1 to 4.4)."""

import re

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from studio.core.access import Actor
from studio.core.errors import NotFound, Refused
from studio.core.models import Workspace
from studio.core.rest.bodies import query_text
from studio.core.rest.schema import query
from studio.core.rest.views import WireView, base_url

SERVICES = ("api", "experimentation", "history", "hyperdrive", "modelmanagement", "studio")


class OpenView(APIView):
    """A view that needs no caller; it reveals nothing but addresses."""

    authentication_classes = ()
    permission_classes = ()


class CloudMetadata(OpenView):
    """`/adfs/` in the login address keeps the client from asking the public cloud (wire.md 4.1)."""

    def get(self, request):
        base = base_url(request)
        authentication = {"loginEndpoint": f"{base}/adfs/-", "audiences": [f"{base}/"]}
        return Response(
            [
                {
                    "name": "AzureCloud",
                    "resourceManager": f"{base}/",
                    "portal": base,
                    "suffixes": {"storage": "core.windows.net"},  # `azureml-mlflow` requires one
                    "authentication": authentication,
                }
            ]
        )


class Discovery(OpenView):
    """This host, without a trailing slash, for every service (wire.md 4.4)."""

    def get(self, request, rest=""):
        return Response(dict.fromkeys(SERVICES, base_url(request)))


class Subscriptions(WireView):
    """The one subscription of the caller's workspace (wire.md 4.3)."""

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

    def put(self, request, **scope):
        """Refuses to create, change or remove a workspace."""
        raise Refused(
            "A workspace is made on the studio's own machine: uv run manage.py workspace add.",
            status=400,
        )

    patch = delete = put


class BelowSubscription(WireView):
    """Addresses without a workspace: the caller's own subscription and group, or 404."""

    def check_scope(self, workspace: Workspace):
        own = {"subscription": workspace.subscription_id, "group": workspace.resource_group}
        if any(self.kwargs.get(key, own[key]).lower() != own[key].lower() for key in own):
            raise NotFound("This was not found, or this token is for another subscription.")


class ResourceGroup(BelowSubscription):
    """`Workspace.create(exist_ok=True)` asks for the group before it asks for the workspace."""

    def get(self, request, **scope):
        workspace = self.actor.workspace
        return Response(
            {
                "id": f"/subscriptions/{workspace.subscription_id}"
                f"/resourceGroups/{workspace.resource_group}",
                "name": workspace.resource_group,
                "location": "selfhosted",
                "properties": {"provisioningState": "Succeeded"},
            }
        )


class ResourceList(WireView):
    """Lists the resources of a subscription, which are only workspaces. `Workspace.list` calls it
    with a filter that names the type and perhaps the group."""

    for_endpoint_tokens = for_run_tokens = True

    @extend_schema(parameters=[query("$filter")])
    def get(self, request, subscription, group=None):
        wanted = query_text(request.query_params, "$filter")
        of_group = re.search(r"resourceGroup eq '([^']*)'", wanted, re.I)
        of_type = re.search(r"resourceType eq '([^']*)'", wanted, re.I)
        group = of_group[1] if of_group else group
        rows = [
            workspace_resource(row, self.base_url) for row in found(self.actor, subscription, group)
        ]
        if of_type:
            rows = [row for row in rows if row["type"].lower() == of_type[1].lower()]
        return Response({"value": rows})


class WorkspaceList(WireView):
    """The caller's one workspace if it is in the named subscription and group; else an empty
    list."""

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
    """The workspace document (wire.md 4.3)."""
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

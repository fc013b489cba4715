"""Routes above both apps: the resource manager, tokens, secrets, blobs, health and the API document."""

from django.urls import path, re_path

from studio.api import arm, blobs, computes, credential, health, oauth, unsupported
from studio.api.document import ApiDocument
from studio.core.rest.routes import GROUP, PROVIDER, SCOPE, SUBSCRIPTION, wire_path

ANY_CONTAINER = (
    r"(?P<container>(?:artifacts|logs|snapshots|uploaded|uploads|datastore-[0-9a-f-]{36}))"
)
# The client joins the resource manager's address, which ends in a slash, with a path that begins
# with one.
COMPUTES = rf"^/?(?:rp/workspaces/)?{SCOPE}/computes"
ENVIRONMENT = (
    rf"^environment/v[12]\.0/{SCOPE}/environments/(?P<name>[^/]+)/versions/(?P<version>[^/]+)"
)
LOCATION = rf"^/?{SUBSCRIPTION}/{PROVIDER}/locations/(?P<location>[^/]+)"

urlpatterns = [
    re_path(r"^healthz/?$", health.Health.as_view(), name="healthz"),
    re_path(r"^metrics/?$", health.Metrics.as_view(), name="metrics"),
    path("api/schema", ApiDocument.as_view(), name="api-schema"),
    wire_path(r"^metadata/endpoints/?$", arm.CloudMetadata.as_view()),
    wire_path(r"^discovery(?:/(?P<rest>.*))?$", arm.Discovery.as_view()),
    wire_path(
        r"^adfs/(?P<tenant>[^/]+)/\.well-known/openid-configuration/?$",
        oauth.OpenIdConfiguration.as_view(),
    ),
    wire_path(r"^adfs/oauth2/token/?$", oauth.ClientCredentials.as_view()),
    wire_path(r"^(?P<tenant>[^/]+)/oauth2/(?:v2\.0/)?token/?$", oauth.ClientCredentials.as_view()),
    wire_path(r"^msi/?$", oauth.ManagedIdentity.as_view()),
    wire_path(r"^subscriptions/?$", arm.Subscriptions.as_view()),
    wire_path(rf"^/?{SUBSCRIPTION}/{GROUP}/{PROVIDER}/workspaces/?$", arm.WorkspaceList.as_view()),
    wire_path(rf"^/?{SUBSCRIPTION}/{PROVIDER}/workspaces/?$", arm.WorkspaceList.as_view()),
    wire_path(rf"^/?{SUBSCRIPTION}/{GROUP}/resources/?$", arm.ResourceList.as_view()),
    wire_path(rf"^/?{SUBSCRIPTION}/resources/?$", arm.ResourceList.as_view()),
    wire_path(rf"^/?{SUBSCRIPTION}/{GROUP}/?$", arm.ResourceGroup.as_view()),
    wire_path(rf"^(?:rp/workspaces/)?{SCOPE}/?$", arm.WorkspaceDetail.as_view()),
    wire_path(rf"{COMPUTES}/?$", computes.ComputeList.as_view()),
    wire_path(
        rf"{COMPUTES}/(?P<name>[^/]+)/?$",
        computes.ComputeDetail.as_view(),
    ),
    wire_path(rf"{COMPUTES}/(?P<name>[^/]+)/listNodes/?$", computes.ComputeNodes.as_view()),
    wire_path(rf"{LOCATION}/vmSizes/?$", computes.Sizes.as_view()),
    wire_path(rf"{LOCATION}/(?:usages|quotas)/?$", computes.Limits.as_view()),
    wire_path(rf"^{SCOPE}/computeOperations/done/?$", computes.ComputeOperation.as_view()),
    wire_path(rf"^credential/v2\.0/{SCOPE}/secrets/?$", credential.Secrets.as_view()),
    wire_path(
        rf"^credential/v2\.0/{SCOPE}/secrets:(?P<which>(?:put|get|delete)batch)/?$",
        credential.SecretBatch.as_view(),
    ),
    wire_path(
        rf"^credential/v2\.0/{SCOPE}/secrets/(?P<name>[^/]+)/?$", credential.SecretDetail.as_view()
    ),
    wire_path(rf"^{SCOPE}/resynckeys/?$", unsupported.StorageKeys.as_view()),
    wire_path(rf"^{SCOPE}/linkedServices/?$", unsupported.LinkedServices.as_view()),
    wire_path(rf"^{SCOPE}/connections/?$", unsupported.Connections.as_view()),
    wire_path(rf"^{SCOPE}/connections/(?P<name>[^/]+)/?$", unsupported.Connection.as_view()),
    wire_path(
        rf"{ENVIRONMENT}/image(?:oncompute/(?P<compute>[^/]+))?/?$",
        unsupported.Images.as_view(),
    ),
    wire_path(rf"{ENVIRONMENT}/build/?$", unsupported.EnvironmentBuild.as_view()),
    wire_path(
        rf"^modelmanagement/v1\.0/{SCOPE}/(?:services|images|packages|profiles)/?$",
        unsupported.Deployments.as_view(),
    ),
    wire_path(
        rf"^(?:hyperdrive|jasmine)/v1\.0/{SCOPE}/(?P<rest>.+)$", unsupported.Searches.as_view()
    ),
    re_path(rf"^{ANY_CONTAINER}/?$", blobs.BlobContainer.as_view()),
    re_path(rf"^{ANY_CONTAINER}/(?P<path>[\s\S]+)$", blobs.Blob.as_view()),
]

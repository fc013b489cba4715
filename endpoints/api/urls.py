"""Routes of definitions on the wire. A trailing slash is optional and never redirected (wire.md 3.1)."""

from django.urls import include

from endpoints.api import (
    content,
    data_sources,
    datasets,
    datastores,
    environments,
    graphs,
    named_modules,
    pipeline_endpoints,
    pipelines,
)
from studio.core.rest.routes import SCOPE, wire_path

pipelines_service = [
    wire_path(r"^DataTypes/?$", pipelines.DataTypes.as_view()),
    wire_path(r"^Pipelines/Create/?$", pipelines.CreatePipeline.as_view()),
    wire_path(r"^Pipelines/?$", pipelines.PipelineList.as_view()),
    wire_path(r"^Pipelines/(?P<uuid>[^/]+)/?$", pipelines.PipelineDetail.as_view()),
    wire_path(r"^Pipelines/(?P<uuid>[^/]+)/status/?$", pipelines.PipelineStatus.as_view()),
    wire_path(r"^PipelineEndpoints/Create/?$", pipeline_endpoints.CreateEndpoint.as_view()),
    wire_path(r"^PipelineEndpoints/?$", pipeline_endpoints.EndpointList.as_view()),
    wire_path(r"^PipelineEndpoints/Name/?$", pipeline_endpoints.EndpointByName.as_view()),
    wire_path(
        r"^PipelineEndpoints/Id/(?P<uuid>[^/]+)/?$", pipeline_endpoints.EndpointById.as_view()
    ),
    wire_path(
        r"^PipelineEndpoints/(?P<uuid>[^/]+)/?$", pipeline_endpoints.ReplaceEndpoint.as_view()
    ),
    wire_path(
        r"^PipelineEndpoints/(?P<uuid>[^/]+)/pipelines/?$",
        pipeline_endpoints.EndpointPipelines.as_view(),
    ),
    wire_path(r"^Graphs/(?P<uuid>[^/]+)/?$", graphs.GraphDetail.as_view()),
    wire_path(r"^Graphs/(?P<uuid>[^/]+)/Interface/?$", graphs.GraphInterface.as_view()),
    wire_path(r"^DataSources/?$", data_sources.DataSources.as_view()),
    wire_path(
        r"^DataSources/Hash/(?P<fingerprint>[^/]+)/?$", data_sources.DataSourceByHash.as_view()
    ),
    wire_path(r"^DataSources/(?P<uuid>[^/]+)/?$", data_sources.DataSourceDetail.as_view()),
    wire_path(r"^Modules/?$", graphs.Modules.as_view()),
    wire_path(r"^Modules/Hash/(?P<fingerprint>[^/]+)/?$", graphs.ModuleByHash.as_view()),
    wire_path(r"^Modules/(?P<uuid>[^/]+)/?$", graphs.ModuleDetail.as_view()),
    wire_path(r"^AzureMLModules/?$", named_modules.CreateNamedModule.as_view()),
    wire_path(r"^AzureMLModules/Name/?$", named_modules.NamedModuleByName.as_view()),
    wire_path(r"^AzureMLModules/(?P<uuid>[^/]+)/?$", named_modules.NamedModuleDetail.as_view()),
    wire_path(r"^AzureMLModuleVersions/?$", named_modules.CreateModuleVersion.as_view()),
    wire_path(
        r"^AzureMLModuleVersions/(?P<uuid>[^/]+)/?$", named_modules.ModuleVersionDetail.as_view()
    ),
]
datastore_service = [
    wire_path(r"^default/?$", datastores.DefaultDatastore.as_view()),
    wire_path(r"^default/(?P<name>[^/]+)/?$", datastores.ChosenDefault.as_view()),
    wire_path(r"^datastores/?$", datastores.DatastoreList.as_view()),
    wire_path(r"^datastores/(?P<name>[^/]+)/?$", datastores.DatastoreDetail.as_view()),
]
dataset_service = [
    wire_path(r"^datasets/?$", datasets.Datasets.as_view()),
    wire_path(r"^datasets/query/(?P<condition>.+?)/?$", datasets.DatasetQuery.as_view()),
    wire_path(r"^datasets/(?P<key>.+?)/?$", datasets.DatasetDetail.as_view()),
    wire_path(r"^saveddatasets/?$", datasets.SavedDatasets.as_view()),
    wire_path(r"^saveddatasets/(?P<uuid>[^/]+)/?$", datasets.SavedDatasetDetail.as_view()),
]
data_service = [
    wire_path(
        r"^dataversion/(?P<name>[^/]+)/versions/(?P<version>[^/]+)/?$",
        datasets.DataVersion.as_view(),
    ),
]
ENVIRONMENT = r"^environments/(?P<name>[^/]+)"
environment_service = [
    wire_path(r"^environments/?$", environments.EnvironmentList.as_view()),
    wire_path(rf"{ENVIRONMENT}/?$", environments.EnvironmentDetail.as_view()),
    wire_path(
        rf"{ENVIRONMENT}/versions/(?P<version>[^/]+)/?$",
        environments.EnvironmentByVersion.as_view(),
    ),
    wire_path(
        rf"{ENVIRONMENT}/versions/(?P<version>[^/]+)/metadata/?$",
        environments.EnvironmentLabels.as_view(),
    ),
    wire_path(
        rf"{ENVIRONMENT}/labels/(?P<label>[^/]+)/?$", environments.EnvironmentByLabel.as_view()
    ),
]
content_service = [
    wire_path(r"^snapshots/latest/metadata/?$", content.LatestMetadata.as_view()),
    wire_path(r"^snapshots/getblob/?$", content.UploadAddresses.as_view()),
    wire_path(r"^snapshots/(?P<uuid>[^/]+)/?$", content.CreateSnapshot.as_view()),
    wire_path(r"^snapshots/(?P<uuid>[^/]+)/zip/?$", content.SnapshotZip.as_view()),
]
urlpatterns = [
    wire_path(rf"^pipelines/v1\.0/{SCOPE}/", include(pipelines_service)),
    wire_path(rf"^content/v[12]\.0/{SCOPE}/", include(content_service)),
    wire_path(rf"^datastore/v1\.0/{SCOPE}/", include(datastore_service)),
    wire_path(rf"^dataset/v1\.0/{SCOPE}/", include(dataset_service)),
    wire_path(rf"^data/v1\.0/{SCOPE}/", include(data_service)),
    wire_path(rf"^environment/v1\.0/{SCOPE}/", include(environment_service)),
]

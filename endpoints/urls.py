"""Pages of definitions."""

from django.urls import path

from endpoints.views import (
    authoring,
    code,
    compute,
    data,
    endpoint,
    favourites,
    lists,
    pipeline,
    publish,
)

app_name = "endpoints"
urlpatterns = [
    path("pipelines/new/", authoring.pipeline_new, name="pipeline-new"),
    path("datasets/", data.dataset_list, name="dataset-list"),
    path("datasets/<uuid:uuid>/", data.dataset_detail, name="dataset-detail"),
    path("datastores/", data.datastore_list, name="datastore-list"),
    path("datastores/<str:name>/", data.datastore_detail, name="datastore-detail"),
    path("compute/", compute.compute_list, name="compute-list"),
    path("compute/new/", compute.compute_new, name="compute-new"),
    path("pipelines/endpoints/", lists.endpoint_list, name="endpoint-list"),
    path("pipelines/endpoints/bulk/", lists.bulk, name="endpoint-bulk"),
    path("endpoints/", lists.endpoint_list),
    path("endpoints/<uuid:uuid>/", endpoint.endpoint_detail, name="endpoint-detail"),
    path("endpoints/<uuid:uuid>/versions/", endpoint.endpoint_versions, name="endpoint-versions"),
    path("endpoints/<uuid:uuid>/runs/", endpoint.endpoint_runs, name="endpoint-runs"),
    path(
        "endpoints/<uuid:uuid>/schedules/", endpoint.endpoint_schedules, name="endpoint-schedules"
    ),
    path("endpoints/<uuid:uuid>/consume/", endpoint.endpoint_consume, name="endpoint-consume"),
    path("endpoints/<uuid:uuid>/edit/", endpoint.endpoint_edit, name="endpoint-edit"),
    path("endpoints/<uuid:uuid>/disable/", endpoint.endpoint_disable, name="endpoint-disable"),
    path("endpoints/<uuid:uuid>/enable/", endpoint.endpoint_enable, name="endpoint-enable"),
    path(
        "endpoints/<uuid:uuid>/favourite/",
        favourites.endpoint_favourite,
        name="endpoint-favourite",
    ),
    path(
        "endpoints/<uuid:uuid>/set-default/",
        endpoint.endpoint_set_default,
        name="endpoint-set-default",
    ),
    path("pipelines/published/", lists.pipeline_list, name="pipeline-list"),
    path("pipelines/published/<uuid:uuid>/", pipeline.pipeline_detail, name="pipeline-detail"),
    path("pipelines/published/<uuid:uuid>/runs/", pipeline.pipeline_runs, name="pipeline-runs"),
    path(
        "pipelines/published/<uuid:uuid>/schedules/",
        pipeline.pipeline_schedules,
        name="pipeline-schedules",
    ),
    path(
        "pipelines/published/<uuid:uuid>/consume/",
        pipeline.pipeline_consume,
        name="pipeline-consume",
    ),
    path(
        "pipelines/published/<uuid:uuid>/code/<anypath:path>",
        code.pipeline_code,
        name="pipeline-code",
    ),
    path(
        "pipelines/published/<uuid:uuid>/favourite/",
        favourites.pipeline_favourite,
        name="pipeline-favourite",
    ),
    path(
        "pipelines/published/<uuid:uuid>/disable/",
        pipeline.pipeline_disable,
        name="pipeline-disable",
    ),
    path(
        "pipelines/published/<uuid:uuid>/enable/", pipeline.pipeline_enable, name="pipeline-enable"
    ),
    path("runs/<uuid:uuid>/publish/", publish.publish, name="run-publish"),
]

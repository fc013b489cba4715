"""Pages of definitions."""

from django.urls import path

from endpoints.views import authoring, code, data, endpoint, favourites, lists, pipeline
from runs.views import schedules, submit

app_name = "endpoints"
urlpatterns = [
    path("pipelines/new/", authoring.pipeline_new, name="pipeline-new"),
    path("datasets/", data.dataset_list, name="dataset-list"),
    path("datasets/<uuid:uuid>/", data.dataset_detail, name="dataset-detail"),
    path("datastores/", data.datastore_list, name="datastore-list"),
    path("datastores/<str:name>/", data.datastore_detail, name="datastore-detail"),
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
    path("endpoints/<uuid:uuid>/new-run/", submit.endpoint_submit, name="endpoint-submit"),
    path("pipelines/schedules/", schedules.schedule_list, name="schedule-list"),
    path("pipelines/schedules/new/", schedules.schedule_new, name="schedule-new"),
    path("pipelines/schedules/<uuid:uuid>/", schedules.schedule_detail, name="schedule-detail"),
    path("pipelines/schedules/<uuid:uuid>/edit/", schedules.schedule_edit, name="schedule-edit"),
    path(
        "pipelines/schedules/<uuid:uuid>/disable/",
        schedules.schedule_disable,
        name="schedule-disable",
    ),
    path(
        "pipelines/schedules/<uuid:uuid>/enable/", schedules.schedule_enable, name="schedule-enable"
    ),
    path("pipelines/schedules/<uuid:uuid>/run/", schedules.schedule_run, name="schedule-run"),
    path(
        "pipelines/schedules/<uuid:uuid>/delete/", schedules.schedule_delete, name="schedule-delete"
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
    path(
        "pipelines/published/<uuid:uuid>/new-run/", submit.pipeline_submit, name="pipeline-submit"
    ),
]

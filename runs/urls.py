from django.urls import path, re_path

from runs.views import (
    cancel,
    client_runs,
    detail,
    files,
    live,
    logs,
    metrics,
    outputs,
    parameters,
    portal,
    rename,
    resubmit,
    run_list,
    schedules,
    snapshot,
    submit,
)
from studio.core.rest.routes import SCOPE, wire_path

ID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
UUID, RUN = rf"(?P<uuid>{ID})", rf"(?P<run_uuid>{ID})"

app_name = "runs"
urlpatterns = [
    path("pipelines/runs/", run_list.run_list, name="run-list"),
    path("pipelines/runs/cancel/", cancel.cancel_selected, name="run-cancel-selected"),
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
    path("endpoints/<uuid:uuid>/new-run/", submit.endpoint_submit, name="endpoint-submit"),
    path(
        "pipelines/published/<uuid:uuid>/new-run/", submit.pipeline_submit, name="pipeline-submit"
    ),
    re_path(r"^compute/(?P<name>[^/\0]+)/details/?$", portal.compute, name="portal-compute"),
    re_path(rf"^experiments/id/{UUID}/?$", portal.experiment, name="portal-experiment-id"),
    re_path(r"^experiments/(?P<name>[^/\0]+)/?$", portal.experiment, name="portal-experiment"),
    re_path(rf"^experiments/(?:id/)?[^/]+/runs/{RUN}/?$", portal.run, name="portal-run"),
    re_path(rf"^pipelines/{UUID}/?$", portal.pipeline, name="portal-pipeline"),
    wire_path(rf"^mlflow/v2\.0/{SCOPE}/?$", portal.mlflow, name="portal-mlflow"),
    # People paste a run's id after /runs/ without the final slash.
    path("runs/<uuid:uuid>", detail.graph, name="run-short"),
    path("runs/<uuid:uuid>/", detail.graph, name="run-detail"),
    path("runs/<uuid:uuid>/live/<slug:part>/", live.part, name="run-live"),
    path("runs/<uuid:uuid>/steps/", detail.steps, name="run-steps"),
    path("runs/<uuid:uuid>/outputs/", outputs.outputs, name="run-outputs"),
    path("runs/<uuid:uuid>/metrics/", metrics.metrics, name="run-metrics"),
    path("runs/<uuid:uuid>/images/", metrics.images, name="run-images"),
    path("runs/<uuid:uuid>/parameters/", parameters.parameters, name="run-parameters"),
    path("runs/<uuid:uuid>/snapshot/", snapshot.snapshot, name="run-snapshot"),
    path("runs/<uuid:uuid>/details/", detail.details, name="run-details"),
    path("runs/<uuid:uuid>/raw.json", detail.raw, name="run-raw"),
    path("runs/<uuid:uuid>/log/", logs.log, name="run-log"),
    path("runs/<uuid:uuid>/files.zip", files.everything, name="run-zip"),
    path("runs/<uuid:uuid>/files/<anypath:path>", files.artifact, name="run-file"),
    path("runs/<uuid:uuid>/data/<anypath:path>", files.data_file, name="run-data"),
    path("runs/<uuid:uuid>/code/<anypath:path>", files.code, name="run-code"),
    path("runs/<uuid:uuid>/children/", client_runs.children, name="run-children"),
    path("runs/<uuid:uuid>/rename/", rename.rename, name="run-rename"),
    path("runs/<uuid:uuid>/cancel/", cancel.cancel, name="run-cancel"),
    path("runs/<uuid:uuid>/resubmit/", resubmit.resubmit, name="run-resubmit"),
]

"""Routes of runs on the wire. The trigger's come first; trailing slashes are optional."""

from django.urls import include

from runs.api import (
    artifacts,
    batches,
    drafts,
    environments,
    experiments,
    history,
    local_uploads,
    metrics,
    models,
    pipeline_runs,
    schedules,
    script_runs,
    trigger,
    unsubmitted,
)
from runs.wire.entities import AUTOSAVED
from studio.core.rest.routes import SCOPE, wire_path

triggers = [
    wire_path(r"^PipelineSubmit/(?P<uuid>[^/]+)/?$", trigger.SubmitPipeline.as_view()),
    wire_path(r"^PipelineEndpointSubmit/Name/?$", trigger.SubmitEndpointByName.as_view()),
    wire_path(
        r"^PipelineEndpointSubmit/Id/(?P<uuid>[^/]+)(?:/(?P<version>[^/]+))?/?$",
        trigger.SubmitEndpoint.as_view(),
    ),
]
nodes = [
    wire_path(r"^Graph/Node/StatusCode/?$", pipeline_runs.NodeStatusCode.as_view()),
    wire_path(r"^Graph/Node/Status/?$", pipeline_runs.NodeStatus.as_view()),
    wire_path(r"^Graph/AllNodes/Status/?$", pipeline_runs.AllNodesStatus.as_view()),
    wire_path(
        r"^Graph/Shareable/(?P<which>(?:STDOUT|STDERR|JobLog))/?$", pipeline_runs.NodeLog.as_view()
    ),
    wire_path(r"^Outputs/?$", pipeline_runs.NodeOutputs.as_view()),
    wire_path(r"^PipelineRunOutputs/(?P<name>[^/]+)/?$", pipeline_runs.PipelineOutput.as_view()),
    wire_path(r"^Execution/?$", pipeline_runs.Execution.as_view()),
    wire_path(r"^Cancel/?$", pipeline_runs.Cancel.as_view()),
]
pipelines_service = [
    *triggers,
    wire_path(r"^PipelineDraftSubmit/?$", drafts.SubmitDraft.as_view()),
    wire_path(r"^Unsubmitted/CreationInfoWithGraph/?$", unsubmitted.CreateWithGraph.as_view()),
    wire_path(r"^Submit/(?P<uuid>[^/]+)/?$", unsubmitted.SubmitRun.as_view()),
    wire_path(r"^Pipeline/(?P<uuid>[^/]+)/?$", pipeline_runs.RunsOfPipeline.as_view()),
    wire_path(r"^Schedule/(?P<uuid>[^/]+)/?$", pipeline_runs.RunsOfSchedule.as_view()),
    wire_path(r"^Schedule/(?P<uuid>[^/]+)/Last/?$", pipeline_runs.LastRunOfSchedule.as_view()),
    wire_path(r"^(?P<uuid>[^/]+)/?$", pipeline_runs.PipelineRunDetail.as_view()),
    wire_path(r"^(?P<uuid>[^/]+)/", include(nodes)),
]
drafts_and_schedules = [
    wire_path(r"^Pipelines/PipelineDraftCreate/?$", drafts.PublishDraft.as_view()),
    wire_path(r"^PipelineDrafts/Create/?$", drafts.CreatePipelineDraft.as_view()),
    wire_path(r"^PipelineDrafts/?$", drafts.PipelineDrafts.as_view()),
    wire_path(r"^PipelineDrafts/Clone/(?P<uuid>[^/]+)/?$", drafts.CloneDraft.as_view()),
    wire_path(
        r"^PipelineDrafts/ClonePublished/(?P<uuid>[^/]+)/?$", drafts.ClonePublished.as_view()
    ),
    wire_path(r"^PipelineDrafts/(?P<uuid>[^/]+)/?$", drafts.PipelineDraftDetail.as_view()),
    wire_path(r"^GraphDrafts/?$", drafts.GraphDrafts.as_view()),
    wire_path(r"^GraphDrafts/(?P<uuid>[^/]+)/?$", drafts.GraphDraftDetail.as_view()),
    wire_path(r"^Schedules/Create/?$", schedules.CreateSchedule.as_view()),
    wire_path(r"^Schedules/?$", schedules.ScheduleList.as_view()),
    wire_path(r"^Schedules/Pipeline/(?P<uuid>[^/]+)/?$", schedules.SchedulesOfPipeline.as_view()),
    wire_path(
        r"^Schedules/PipelineEndpoint/(?P<uuid>[^/]+)/?$", schedules.SchedulesOfEndpoint.as_view()
    ),
    wire_path(r"^Schedules/(?P<uuid>[^/]+)/?$", schedules.ScheduleDetail.as_view()),
]
runs_of = [
    wire_path(r"^batch/runs/?$", batches.BatchRuns.as_view()),
    wire_path(r"^batch/events/?$", batches.BatchEvents.as_view()),
    wire_path(r"^runs:query/?$", history.QueryRuns.as_view()),
    wire_path(r"^runs/(?P<uuid>[^/]+)/?$", history.RunDetail.as_view()),
    wire_path(r"^runs/(?P<uuid>[^/]+)/details/?$", history.RunDetails.as_view()),
    wire_path(r"^runs/(?P<uuid>[^/]+)/children/?$", history.RunChildren.as_view()),
    wire_path(r"^runs/(?P<uuid>[^/]+)/tags/?$", history.RunTags.as_view()),
    wire_path(r"^runs/(?P<uuid>[^/]+)/events/?$", history.RunEvents.as_view()),
    wire_path(r"^runs/(?P<uuid>[^/]+)/token/?$", history.RunToken.as_view()),
    wire_path(r"^runs/(?P<uuid>[^/]+)/metricsingest/wait/?$", history.MetricsIngest.as_view()),
]
# The artifact service's artifacts, at the addresses that `azureml-mlflow` uses.
artifacts_of = [
    wire_path(r"^batch/metadata/?$", artifacts.RunArtifactBatch.as_view()),
    wire_path(r"^contentinfo/?$", artifacts.RunArtifactContent.as_view()),
]
history_service = [
    wire_path(r"^experiments:query/?$", experiments.QueryExperiments.as_view()),
    wire_path(r"^experiments/(?P<name>[^/]+)/?$", experiments.ExperimentByName.as_view()),
    wire_path(r"^experimentids/(?P<experiment_id>[^/]+)/?$", experiments.ExperimentById.as_view()),
    wire_path(
        r"^experimentids/(?P<experiment_id>[^/]+)/tags:delete/?$",
        experiments.ExperimentTags.as_view(),
    ),
    wire_path(r"^computes/(?P<compute>[^/]+)/runs/?$", history.RunsOfCompute.as_view()),
    wire_path(r"^experiments/(?P<name>[^/]+)/metrics:query/?$", metrics.MetricQuery.as_view()),
    wire_path(
        r"^experiments/(?P<name>[^/]+)/runs/(?P<uuid>[^/]+)/artifacts/", include(artifacts_of)
    ),
    wire_path(
        r"^experiments/(?P<name>[^/]+)/runs/(?P<uuid>[^/]+)/artifacts/?$",
        artifacts.RunArtifactList.as_view(),
    ),
    wire_path(r"^experiments/(?P<name>[^/]+)/", include(runs_of)),
    wire_path(r"^experimentids/(?P<experiment_id>[^/]+)/", include(runs_of)),
    wire_path(r"^", include(runs_of)),
]
metric_service = [
    wire_path(r"^runs/(?P<uuid>[^/]+)/batch/?$", metrics.MetricBatch.as_view()),
    wire_path(r"^runs/(?P<uuid>[^/]+)/list/?$", metrics.MetricList.as_view()),
    wire_path(r"^runs/(?P<uuid>[^/]+)/full/?$", metrics.MetricFull.as_view()),
]
execution_service = [
    wire_path(r"^snapshotrun/?$", script_runs.SnapshotRun.as_view()),
    wire_path(r"^startrun/?$", script_runs.ZipRun.as_view()),
    wire_path(r"^localrun/?$", script_runs.LocalRun.as_view()),
    wire_path(r"^clean/?$", script_runs.CleanRun.as_view()),
]
ARTIFACT_OF = r"(?P<origin>[^/]+)/(?P<container>[^/]+)"
UPLOADED_TO = r"LocalUpload/(?P<container>[^/]+)"
artifact_service = [
    wire_path(rf"^artifacts/batch/metadata/{UPLOADED_TO}/?$", local_uploads.UploadBatch.as_view()),
    wire_path(
        rf"^artifacts/contentinfo/{UPLOADED_TO}/(?P<path>.+)$",
        local_uploads.UploadContent.as_view(),
    ),
    wire_path(
        rf"^artifacts/prefix/contentinfo/{UPLOADED_TO}(?:/(?P<prefix>.*))?$",
        local_uploads.UploadPrefix.as_view(),
    ),
    wire_path(rf"^artifacts/batch/metadata/{ARTIFACT_OF}/?$", artifacts.ArtifactBatch.as_view()),
    wire_path(
        rf"^artifacts/contentinfo/{ARTIFACT_OF}/(?P<path>[\s\S]+)$",
        artifacts.ArtifactContent.as_view(),
    ),
    wire_path(
        rf"^artifacts/prefix/contentinfo/{ARTIFACT_OF}(?:/(?P<prefix>[\s\S]*))?$",
        artifacts.ArtifactPrefix.as_view(),
    ),
    wire_path(rf"^artifacts/{ARTIFACT_OF}/?$", artifacts.ArtifactList.as_view()),
]
environment_service = [
    wire_path(
        rf"^environments/(?P<name>[^/]+)/versions/{AUTOSAVED}(?P<uuid>[^/]+)/?$",
        environments.UsedEnvironment.as_view(),
    ),
]
model_service = [
    wire_path(r"^assets/?$", models.Assets.as_view()),
    wire_path(r"^assets/(?P<uuid>[^/]+)/?$", models.AssetDetail.as_view()),
    wire_path(r"^models/?$", models.Models.as_view()),
    wire_path(r"^models/(?P<model_id>[^/]+)/?$", models.ModelDetail.as_view()),
]
urlpatterns = [
    wire_path(rf"^pipelines/v1\.0/{SCOPE}/PipelineRuns/", include(pipelines_service)),
    wire_path(rf"^pipelines/v1\.0/{SCOPE}/", include(drafts_and_schedules)),
    wire_path(
        rf"^pipelines/v1\.0/{SCOPE}/PipelineDrafts/ClonePipelineRun/(?P<uuid>[^/]+)/?$",
        drafts.CloneRun.as_view(),
    ),
    wire_path(r"^endpoints/(?P<uuid>[^/]+)/submit/?$", trigger.SubmitAlias.as_view()),
    wire_path(rf"^history/v1\.0/{SCOPE}/", include(history_service)),
    wire_path(
        rf"^execution/v1\.0/{SCOPE}/experiments/(?P<name>[^/]+)/", include(execution_service)
    ),
    wire_path(rf"^metric/v2\.0/{SCOPE}/", include(metric_service)),
    wire_path(rf"^artifact/v2\.0/{SCOPE}/", include(artifact_service)),
    wire_path(rf"^environment/v1\.0/{SCOPE}/", include(environment_service)),
    wire_path(rf"^modelmanagement/v1\.0/{SCOPE}/", include(model_service)),
    wire_path(rf"^mlflow/v2\.0/{SCOPE}/api/2\.0/", include("runs.api.mlflow.urls")),
]

"""Addresses of MLflow's REST API, below the workspace's."""

from django.urls import include

from runs.api.mlflow import experiments, runs
from runs.api.mlflow.base import NotServed
from studio.core.rest.routes import wire_path

tracking = [
    wire_path(r"^experiments/get/?$", experiments.MlflowExperiment.as_view()),
    wire_path(r"^experiments/get-by-name/?$", experiments.MlflowExperimentByName.as_view()),
    wire_path(r"^experiments/create/?$", experiments.MlflowExperimentCreate.as_view()),
    wire_path(r"^experiments/search/?$", experiments.MlflowExperimentSearch.as_view()),
    wire_path(r"^experiments/update/?$", experiments.MlflowExperimentUpdate.as_view()),
    wire_path(r"^experiments/delete/?$", experiments.MlflowExperimentDelete.as_view()),
    wire_path(r"^experiments/restore/?$", experiments.MlflowExperimentRestore.as_view()),
    wire_path(r"^experiments/set-experiment-tag/?$", experiments.MlflowExperimentTag.as_view()),
    wire_path(
        r"^experiments/delete-experiment-tag/?$", experiments.MlflowExperimentUntag.as_view()
    ),
    wire_path(r"^runs/get/?$", runs.MlflowRun.as_view()),
    wire_path(r"^runs/create/?$", runs.MlflowRunCreate.as_view()),
    wire_path(r"^runs/update/?$", runs.MlflowRunUpdate.as_view()),
    wire_path(r"^runs/search/?$", runs.MlflowRunSearch.as_view()),
    wire_path(r"^runs/delete/?$", runs.MlflowRunDelete.as_view()),
    wire_path(r"^runs/restore/?$", runs.MlflowRunRestore.as_view()),
    wire_path(r"^runs/log-metric/?$", runs.MlflowLogMetric.as_view()),
    wire_path(r"^runs/log-parameter/?$", runs.MlflowLogParam.as_view()),
    wire_path(r"^runs/set-tag/?$", runs.MlflowSetTag.as_view()),
    wire_path(r"^runs/delete-tag/?$", runs.MlflowDeleteTag.as_view()),
    wire_path(r"^runs/log-batch/?$", runs.MlflowLogBatch.as_view()),
    wire_path(r"^metrics/get-history/?$", runs.MlflowMetricHistory.as_view()),
    wire_path(r"^logged-models/search/?$", runs.MlflowModelSearch.as_view()),
]
urlpatterns = [
    wire_path(r"^mlflow/", include(tracking)),
    wire_path(r"^preview/mlflow/runs/log-batch-async/?$", runs.MlflowLogBatchAsync.as_view()),
    wire_path(r"^(?P<rest>.*)$", NotServed.as_view()),
]

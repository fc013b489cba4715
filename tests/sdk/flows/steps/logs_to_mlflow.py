"""Logs with MLflow to the run of its own step, and to a run below it."""

import os

import mlflow

with mlflow.start_run() as run:
    assert run.info.run_id == os.environ["AZUREML_RUN_ID"]
    mlflow.log_param("lr", 0.2)
    mlflow.log_metric("loss", 0.125)
    mlflow.set_tag("where", "in a step")
    mlflow.log_text("said", "said.txt")
    with mlflow.start_run(nested=True):
        mlflow.log_metric("loss", 0.0625)

"""MLflow logs to the studio: what it logs is in the SDK's runs, on a workstation and in a step."""

import warnings
from pathlib import Path

import mlflow
from azureml.core import Environment, Experiment, RunConfiguration, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

STEPS = str(Path(__file__).parent / "steps")
warnings.simplefilter("ignore")
ws = Workspace.from_config()
mlflow.set_tracking_uri(ws.get_mlflow_tracking_uri())
assert mlflow.get_tracking_uri().startswith("azureml://")
NAME = "mlflow-tracking"
client = MlflowClient()
with mlflow.start_run(description="of no experiment") as lone:
    mlflow.log_metric("loss", 1)
experiment = mlflow.get_experiment(mlflow.get_run(lone.info.run_id).info.experiment_id)
assert experiment.name == "Default"
assert mlflow.get_run(lone.info.run_id).data.tags["mlflow.note.content"] == "of no experiment"
with mlflow.start_run(run_id=lone.info.run_id):
    assert mlflow.get_run(lone.info.run_id).info.status == "RUNNING"
assert mlflow.get_run(lone.info.run_id).info.status == "FINISHED"
experiment = mlflow.set_experiment(NAME)

with mlflow.start_run(run_name="outer", tags={"team": "growth"}) as outer:
    mlflow.log_param("lr", 0.1)
    mlflow.log_params({"depth": 3, "kind": "forest"})
    for step, loss in enumerate((0.5, 0.25)):
        mlflow.log_metric("loss", loss, step=step)
    mlflow.log_metrics({"accuracy": 0.9, "rows": 7})
    mlflow.log_metric("undefined", float("nan"))
    mlflow.log_metric("late", 1.0, synchronous=False).wait()
    mlflow.set_tags({"stage": "trial", "passing": "yes"})
    mlflow.delete_tag("passing")
    mlflow.log_text("hello", "notes/hello.txt")
    mlflow.log_dict({"a": 1}, "settings.json")
    Path("made").mkdir()
    Path("made/a.txt").write_text("first")
    Path("made/b.txt").write_text("second")
    mlflow.log_artifact("made/a.txt")
    mlflow.log_artifacts("made", "folder")
    with mlflow.start_run(nested=True, run_name="inner") as inner:
        mlflow.log_metric("loss", 0.75)
outer, inner = outer.info.run_id, inner.info.run_id

found = mlflow.get_run(outer)
assert found.info.status == "FINISHED" and found.info.run_name == "outer"
assert found.data.params == {"lr": "0.1", "depth": "3", "kind": "forest"}
assert found.data.metrics["loss"] == 0.25 and found.data.metrics["rows"] == 7
assert found.data.metrics["undefined"] != found.data.metrics["undefined"]
assert found.data.tags["stage"] == "trial" and "passing" not in found.data.tags
history = client.get_metric_history(outer, "loss")
assert [(row.step, row.value) for row in history] == [(0, 0.5), (1, 0.25)]
assert mlflow.get_run(inner).data.tags["mlflow.parentRunId"] == outer

# The same run, as the SDK sees it, and what the SDK logs, as MLflow sees it.
run = next(run for run in Experiment(ws, NAME).get_runs() if run.id == outer)
assert run.get_status() == "Completed" and run.display_name == "outer"
assert run.get_metrics(name="loss") == {"loss": [0.5, 0.25]}
assert run.get_tags()["team"] == "growth" and run.get_properties()["mlflow.param.lr"] == "0.1"
assert [child.id for child in run.get_children()] == [inner]
run.log("from the SDK", 2.5)
run.flush()
run.tag("seen", "both")
assert mlflow.get_run(outer).data.metrics["from the SDK"] == 2.5
assert mlflow.get_run(outer).data.tags["seen"] == "both"

FILES = {"a.txt", "settings.json", "notes/hello.txt", "folder/a.txt", "folder/b.txt"}
assert set(run.get_file_names()) == FILES
assert {row.path for row in client.list_artifacts(outer)} == {
    *("a.txt", "settings.json", "notes", "folder")
}
assert mlflow.artifacts.load_text(f"runs:/{outer}/notes/hello.txt") == "hello"
Path("fetched").mkdir()
mlflow.artifacts.download_artifacts(run_id=outer, artifact_path="folder", dst_path="fetched")
assert Path("fetched/folder/b.txt").read_text() == "second"


def search(text="", **more):
    rows = mlflow.search_runs(
        experiment_names=[NAME], filter_string=text, output_format="list", **more
    )
    return [row.info.run_id for row in rows]


assert search() == [inner, outer]
assert search("metrics.loss < 0.5 and params.lr = '0.1'") == [outer]
assert search(f"tags.mlflow.parentRunId = '{outer}'") == [inner]
assert search("tags.team LIKE 'gr%' and attributes.status = 'FINISHED'") == [outer]
assert search(order_by=["metrics.loss ASC"]) == [outer, inner]
first = client.search_runs([experiment.experiment_id], max_results=1)
second = client.search_runs([experiment.experiment_id], max_results=1, page_token=first.token)
assert [*(row.info.run_id for row in first), *(row.info.run_id for row in second)] == [inner, outer]
assert [row.name for row in mlflow.search_experiments(filter_string="name LIKE 'mlflow-%'")] == [
    NAME
]
assert mlflow.get_experiment_by_name("none such") is None
assert mlflow.get_experiment(experiment.experiment_id).name == NAME

try:
    with mlflow.start_run() as failed:
        raise ArithmeticError
except ArithmeticError:
    assert mlflow.get_run(failed.info.run_id).info.status == "FAILED"
for refused, code in (
    (lambda: client.log_param(outer, "lr", "7"), "INVALID_PARAMETER_VALUE"),
    (lambda: client.delete_run(outer), "INVALID_PARAMETER_VALUE"),
    (lambda: mlflow.get_run("none"), "RESOURCE_DOES_NOT_EXIST"),
    (lambda: client.create_registered_model("m"), "ENDPOINT_NOT_FOUND"),
):
    try:
        refused()
        raise AssertionError("was not refused")
    except MlflowException as error:
        assert error.error_code == code, error

# In a step, MLflow finds its run in the environment.
environment = Environment("with-mlflow")
environment.environment_variables = {"STUDIO_AZUREML": "real"}
environment.python.conda_dependencies = CondaDependencies.create(
    python_version="3.11",
    pip_packages=[
        *("azureml-core==1.61.0.post4", "azureml-mlflow==1.62.0.post6", "setuptools<81"),
    ],
    pin_sdk_version=False,
)
configuration = RunConfiguration()
configuration.environment = environment
step = PythonScriptStep(
    name="logs",
    script_name="logs_to_mlflow.py",
    compute_target="cpu-cluster",
    runconfig=configuration,
    source_directory=STEPS,
    allow_reuse=False,
)
pipeline_run = Experiment(ws, NAME).submit(Pipeline(ws, steps=[step]))
status = pipeline_run.wait_for_completion(show_output=False, raise_on_error=False)
inside = pipeline_run.find_step_run("logs")[0]
assert status == "Finished", inside.get_stdout_log()
assert inside.get_metrics() == {"loss": 0.125} and inside.get_tags()["where"] == "in a step"
assert mlflow.get_run(inside.id).data.params == {"lr": "0.2"}
assert "said.txt" in inside.get_file_names()
assert [child.get_metrics() for child in inside.get_children()] == [{"loss": 0.0625}]

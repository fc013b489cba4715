"""Runs of a script, of a pipeline and of its steps: what else can be asked of each."""

import zipfile
from pathlib import Path

from azureml.core import Environment, Experiment, Run, ScriptRunConfig, Workspace
from azureml.core.compute import ComputeTarget
from azureml.data.data_reference import DataReference
from azureml.pipeline.core import Pipeline, PipelineData, PipelineRun
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()
experiment = Experiment(ws, "all-kinds")
compute = ComputeTarget(ws, "cpu-cluster")


def refused(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        return str(error)
    raise AssertionError("this should have been refused")


# A script: its environment, its code, what it made, what it left behind on its target
registered = Environment("of-a-run")
registered.environment_variables = {"COLOUR": "blue"}
registered = registered.register(ws)
config = ScriptRunConfig(STEPS, "many.py", compute_target="cpu-cluster", environment=registered)
run = experiment.submit(config)
run.wait_for_completion()
environment = run.get_environment()
assert (environment.name, environment.version) == ("of-a-run", registered.version)
assert environment.environment_variables["COLOUR"] == "blue"
with zipfile.ZipFile(run.restore_snapshot(path=".")) as archive:
    assert "many.py" in archive.namelist()
assert "many.py" in zipfile.ZipFile(run.restore_snapshot(run.get_snapshot_id())).namelist()
assert sorted(child.tags["rate"] for child in run.get_children()) == ["1", "2"]
assert {child.get_status() for child in run.get_children()} == {"Completed"}
with zipfile.ZipFile(next(run.get_children()).restore_snapshot(path=".")) as archive:
    assert archive.read("note.txt") == b"of a child"
assert set(run.get_metrics()) == {"accuracy", "predictions", "residuals", "table"}
assert run.clean() == []

# One below another
parent = experiment.start_logging(snapshot_directory=None)
below = parent.submit_child(ScriptRunConfig(STEPS, "echo.py", compute_target="cpu-cluster"))
below.wait_for_completion()
assert below.parent.id == parent.id
assert [child.id for child in parent.get_children()] == [below.id]
parent.complete()

# A pipeline
model = PipelineData("model", datastore=ws.get_default_datastore(), pipeline_output_name="trained")
step = PythonScriptStep(
    name="make",
    script_name="train.py",
    arguments=["--out", model],
    outputs=[model],
    compute_target="cpu-cluster",
    source_directory=STEPS,
)
pipeline_run = experiment.submit(Pipeline(ws, steps=[step]))
assert pipeline_run.wait_for_completion(show_output=False) == "Finished"
assert isinstance(pipeline_run, PipelineRun)
assert pipeline_run.identity == f"PipelineRun#{pipeline_run.id}", pipeline_run.identity
assert pipeline_run.portal_url.startswith("https://")
assert pipeline_run.get_docs_url().startswith("https://")
output = pipeline_run.get_pipeline_output("trained")
(ran,) = pipeline_run.get_steps()
assert ran.identity == f"StepRun#{ran.id}", ran.identity
with zipfile.ZipFile(ran.restore_snapshot(path=".")) as archive:
    assert "train.py" in archive.namelist()
left = ran.get_output("model")
assert left.name == "model" and left.step_run.id == ran.id
assert isinstance(left.get_port_data_reference()._data_reference, DataReference)
left.get_port_data_reference().download("model-here")
output.download("trained-here")
assert next(Path("trained-here").rglob("model.txt")).read_text() == "lr=0.1"

# By compute target
found = [listed.run_id for listed in Run.list_by_compute(compute)]
assert {run.id, below.id, ran.id} <= set(found), found
tagged = Run.list_by_compute(compute, status="Completed", type="azureml.StepRun")
assert ran.id in [listed.run_id for listed in tagged]

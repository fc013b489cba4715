"""Steps of v1's first years: the estimator's runs, those of other services are refused with advice."""

from pathlib import Path

from azureml.core import Experiment, Workspace
from azureml.core.compute import AmlCompute
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import EstimatorStep, MpiStep
from azureml.train.estimator import Estimator

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()
experiment = Experiment(ws, "old-steps")

estimator = Estimator(source_directory=STEPS, compute_target="cpu-cluster", entry_script="echo.py")
said = EstimatorStep(
    name="estimate",
    estimator=estimator,
    estimator_entry_script_arguments=["--text", "estimated"],
    compute_target="cpu-cluster",
)
run = experiment.submit(Pipeline(ws, steps=[said]))
assert run.wait_for_completion(show_output=False) == "Finished"
assert "estimated" in run.find_step_run("estimate")[0].get_stdout_log()

on_many = MpiStep(
    name="many",
    source_directory=STEPS,
    script_name="echo.py",
    arguments=["--text", "many"],
    compute_target=AmlCompute(ws, "cpu-cluster"),
    node_count=2,
    process_count_per_node=1,
)
try:
    experiment.submit(Pipeline(ws, steps=[on_many]))
except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
    assert "use a PythonScriptStep" in str(error), error
else:
    raise AssertionError("this should have been refused")

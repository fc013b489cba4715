"""Runs that fail and runs that are canceled, and what a script is told of either."""

import time
from pathlib import Path

from azureml.core import Experiment, Workspace
from azureml.exceptions import ActivityFailedException
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()
experiment = Experiment(ws, "ends-badly")


def pipeline(script):
    step = PythonScriptStep(
        name="only", script_name=script, compute_target="cpu-cluster", source_directory=STEPS
    )
    return Pipeline(ws, steps=[step])


failed = experiment.submit(pipeline("fails.py"))
try:
    failed.wait_for_completion(show_output=False)
except ActivityFailedException as error:
    assert "this step always fails" in str(error), error
else:
    raise AssertionError("a failed run raised nothing")
assert failed.wait_for_completion(show_output=False, raise_on_error=False) == "Failed"
assert failed.get_details()["status"] == "Failed"
only = failed.find_step_run("only")[0]
assert only.get_status() == "Failed"
assert "this step always fails" in only.get_stderr_log()
assert "only" in failed.get_details()["error"]["error"]["message"]

endless = experiment.submit(pipeline("endless.py"))
for _ in range(300):
    steps = endless.find_step_run("only")
    if steps and "waiting" in steps[0].get_stdout_log():
        break
    time.sleep(0.1)
else:
    raise AssertionError("the log of a step that runs never came")
endless.cancel()
assert endless.wait_for_completion(show_output=False, raise_on_error=False) == "Canceled"
assert endless.get_steps().__next__().get_status() == "Canceled"
endless.cancel()  # over already: nothing happens

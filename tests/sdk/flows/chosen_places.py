"""Places that a parameter chooses: where an output goes, and a data path with nothing there yet."""

from pathlib import Path

from azureml.core import Experiment, Workspace
from azureml.data import OutputFileDatasetConfig
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core import Pipeline, PipelineParameter
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()
store = ws.get_default_datastore()
chosen = PipelineParameter("path", "chosen/default")
nothing = PipelineParameter("nothing", DataPath(store, "chosen/nothing_here"))
place = (nothing, DataPathComputeBinding(mode="mount"))
out = OutputFileDatasetConfig("out", destination=(store, chosen))
leave = PythonScriptStep(
    name="leave",
    script_name="leave_text.py",
    arguments=["--out", out, "--seen", place],
    inputs=[place],
    compute_target="cpu-cluster",
    source_directory=STEPS,
    allow_reuse=False,
)
published = Pipeline(ws, steps=[leave]).publish("chosen-places", "places", "1")


def where(run):
    """Where the output is, and what the run warns of."""
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert "sees []" in run.find_step_run("leave")[0].get_stdout_log()
    details = run.find_step_run("leave")[0].get_details()
    warned = [row["message"] for row in run.get_details()["warnings"]]
    assert any(
        "There is nothing at workspaceblobstore/chosen/nothing_here" in text for text in warned
    )
    return details, run.find_step_run("leave")[0].get_output_data("out").path_on_datastore


_, path = where(published.submit(ws, "chosen"))
assert path == "chosen/default", path
_, path = where(published.submit(ws, "chosen", pipeline_parameters={"path": "chosen/{run-id}/x"}))
assert path.startswith("chosen/") and path.endswith("/x") and "{" not in path, path
_, path = where(Experiment(ws, "chosen").submit(Pipeline(ws, steps=[leave])))
assert path == "chosen/default", path
try:
    published.submit(ws, "chosen", pipeline_parameters={"path": "../up"})
    raise AssertionError("this should have been refused")
except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
    assert "Parameter path" in str(error) and "leaves its datastore" in str(error), error

"""A step whose environment asks for the real azureml-core works with that one, over the same wire."""

from pathlib import Path

from azureml.core import Dataset, Environment, Experiment, Model, RunConfiguration, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
PACKAGES = [
    "azureml-core==1.61.0.post4",
    "azureml-dataset-runtime==1.62.0.post1",
    "pandas==2.3.3",
    "setuptools<81",
]
ws = Workspace.from_config()
ws.get_default_keyvault().set_secret("real-secret", "unveiled")
Path("lines.csv").write_text("colour,number\nred,1\nblue,2\n")
store = ws.get_default_datastore()
store.upload_files(["lines.csv"], target_path="real-package", overwrite=True, show_progress=False)
lines = Dataset.Tabular.from_delimited_files((store, "real-package/lines.csv"))

environment = Environment("real-package")
environment.environment_variables = {"STUDIO_AZUREML": "real"}
environment.python.conda_dependencies = CondaDependencies.create(
    python_version="3.11", pip_packages=PACKAGES, pin_sdk_version=False
)
configuration = RunConfiguration()
configuration.environment = environment
step = PythonScriptStep(
    name="real",
    script_name="real_package.py",
    inputs=[
        lines.as_named_input("lines"),
        Dataset.File.from_files((store, "real-package")).as_named_input("folder").as_mount(),
    ],
    compute_target="cpu-cluster",
    runconfig=configuration,
    source_directory=STEPS,
    allow_reuse=False,
)
run = Experiment(ws, "real-package").submit(Pipeline(ws, steps=[step]))
status = run.wait_for_completion(show_output=False, raise_on_error=False)
real = run.find_step_run("real")[0]
log = real.get_stdout_log()
assert status == "Finished", (real.get_details(), log)
assert "the real package" in log, log

metrics = real.get_metrics()
assert metrics["accuracy"] == [0.5, 0.75]
assert metrics["sizes"] == [1, 2, 3]
assert metrics["row"] == {"epoch": 1, "error": 0.25}
assert metrics["table"] == {"x": [1, 2], "y": [3, 4]}
assert run.get_metrics()["from below"] == 7
assert run.get_tags()["below"] == "was here"
assert real.get_tags()["colour"] == "red"
assert real.get_properties()["shape"] == "round"
assert {"outputs/kept.txt", "files/uploaded.txt", "tree/a.txt"} <= set(real.get_file_names())
real.download_file("files/uploaded.txt", "uploaded.txt")
assert Path("uploaded.txt").read_text() == "uploaded"

assert {child.get_status() for child in real.get_children()} == {"Completed"}
rated = {child.tags["rate"]: child for child in real.get_children(tags="rate")}
assert set(rated) == {"1", "2"}, rated
assert rated["1"].get_file_names() == ["predictions"] and rated["1"].get_snapshot_id()
children = {child.name: child for child in real.get_children() if "rate" not in child.tags}
assert set(children) == {"real>first", "real>second"}, children
assert children["real>first"].get_metrics() == {"inner": 1}

model = Model(ws, name="real-model")
assert (model.run_id, model.tags) == (real.id, {"by": "the step"})
path = model.download("real-model", exist_ok=True)
assert next(Path("real-model").rglob("a.txt")).read_text() == "a", path

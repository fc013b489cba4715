"""Register models, from outside and in a step; list, read, change, download, delete."""

from pathlib import Path

from azureml.core import Experiment, Model, Workspace
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

STEPS = str(Path(__file__).parent / "steps")
ws = Workspace.from_config()


def step(name, script):
    return PythonScriptStep(
        name=name,
        script_name=script,
        compute_target="cpu-cluster",
        source_directory=STEPS,
        allow_reuse=False,
    )


make, use = step("make", "make_model.py"), step("use", "use_model.py")
use.run_after(make)
run = Experiment(ws, "models").submit(Pipeline(ws, steps=[make, use]))
assert run.wait_for_completion(show_output=False) == "Finished"
assert "weights 1" in run.find_step_run("use")[0].get_stdout_log()
made = run.find_step_run("make")[0]

# Another version, from outside
second = made.register_model(
    "sdk-model",
    model_path="outputs/model",
    tags={"stage": "test"},
    properties={"origin": "flow"},
    model_framework="Custom",
    model_framework_version="1",
    description="second",
)
assert (second.id, second.version) == ("sdk-model:2", 2)
model = Model(ws, name="sdk-model")
assert model.version == 2
assert (model.tags, model.properties) == ({"stage": "test"}, {"origin": "flow"})
assert (model.description, model.model_framework) == ("second", "Custom")
assert model.run_id == made.id
assert model.run.id == made.id
assert Model(ws, id="sdk-model:1").version == 1
assert Model(ws, name="sdk-model", version=1).version == 1
assert [found.version for found in Model.list(ws, name="sdk-model")] == [2, 1]
assert [found.version for found in Model.list(ws, name="sdk-model", latest=True)] == [2]
assert [found.version for found in Model.list(ws, tags=[["stage", "test"]])] == [2]
assert [found.version for found in Model.list(ws, run_id=made.id)] == [2, 1]
assert ws.models["sdk-model"].version == 2
path = model.download("downloaded", exist_ok=True)
assert next(Path("downloaded").rglob("weights.txt")).read_text() == "weights 1", path
assert Path(Model.get_model_path("sdk-model", version=1, _workspace=ws)).exists()

# Changed and deleted
model.add_tags({"seen": "yes"})
model.remove_tags(["stage"])
model.add_properties({"size": "small"})
model.update(description="looked at")
again = Model(ws, id="sdk-model:2")
assert again.tags == {"seen": "yes"}
assert again.properties == {"origin": "flow", "size": "small"}
assert again.description == "looked at"
again.delete()
assert Model(ws, name="sdk-model").version == 1

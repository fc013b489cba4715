"""Register models, from outside and in a step; list, read, change, download, delete."""

import io
import urllib.request
from contextlib import redirect_stdout
from pathlib import Path

from azureml.core import Dataset, Experiment, Model, Workspace
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

# From a workstation, without a run: a folder, a file, and what steps make of them
Path("local-model/deep").mkdir(parents=True)
Path("local-model/weights.txt").write_text("weights 2")
Path("local-model/deep/words.txt").write_text("words")
Path("single.txt").write_text("single")
local = Model.register(
    ws,
    model_path="local-model",
    model_name="local-model",
    tags={"from": "here"},
    properties={"kept": "yes"},
    description="of a workstation",
    model_framework=Model.Framework.SCIKITLEARN,
    model_framework_version="1.5",
)
assert (local.id, local.run_id, local.run) == ("local-model:1", None, None)
assert Model.register(ws, model_path="single.txt", model_name="local-model").version == 2
newest = Model(ws, name="local-model")
newest.download("newest")
assert Path("newest/single.txt").read_text() == "single"
first = Model(ws, name="local-model", version=1)
assert (first.tags, first.properties) == ({"from": "here"}, {"kept": "yes"})
assert (first.model_framework, first.model_framework_version) == ("ScikitLearn", "1.5")
first.download("first")
assert Path("first/local-model/weights.txt").read_text() == "weights 2"
assert Path("first/local-model/deep/words.txt").read_text() == "words"
addresses = first.get_sas_urls()
assert set(addresses) == {"local-model/weights.txt", "local-model/deep/words.txt"}
with urllib.request.urlopen(addresses["local-model/weights.txt"]) as reply:  # noqa: S310
    assert reply.read() == b"weights 2"
first.update(tags={"from": "there"}, description="changed")
assert Model(ws, id="local-model:1").tags == {"from": "there"}
assert {found.id for found in Model.list(ws, name="local-model")} == {
    "local-model:1",
    "local-model:2",
}
newest.delete()
assert Model(ws, name="local-model").version == 1
first.update_tags_properties(
    add_tags={"stage": "test"}, remove_tags=["from"], add_properties={"size": "small"}
)
first = Model(ws, id="local-model:1")
assert first.tags == {"stage": "test"}
assert first.properties == {"kept": "yes", "size": "small"}

# What it was made of, and what a client writes down of it
data = Dataset.File.from_files((ws.get_default_datastore(), "words")).register(ws, "of-a-model")
first.add_dataset_references([("training", data)])
assert [found.id for found in Model(ws, id=first.id).datasets["training"]] == [data.id]
assert [found.id for found in Model.list(ws, dataset_id=data.id)] == [first.id]
written = Model(ws, id=first.id).serialize()
assert written["datasets"] == [{"name": "training", "id": data.id}]
assert Model.deserialize(ws, written).tags == first.tags
terminal = io.StringIO()
with redirect_stdout(terminal):
    Model.print_configuration([first], None, None, None)
assert first.id in terminal.getvalue()
use_local = PythonScriptStep(
    name="use",
    script_name="use_model.py",
    arguments=["local-model", "local-model/weights.txt"],
    compute_target="cpu-cluster",
    source_directory=STEPS,
    allow_reuse=False,
)
run = Experiment(ws, "models").submit(Pipeline(ws, steps=[use_local]))
assert run.wait_for_completion(show_output=False) == "Finished"
assert "weights 2" in run.find_step_run("use")[0].get_stdout_log()

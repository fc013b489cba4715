"""Everything a step asks of its run, by the real package; each answer is checked here."""

import json
import pathlib

import azureml.core
from azureml.core import Model, Run

assert azureml.core.VERSION.startswith("1."), azureml.core.VERSION
print("the real package", azureml.core.VERSION)
run = Run.get_context(allow_offline=False)

# Facts
run.log("accuracy", 0.5)
run.log("accuracy", 0.75)
run.log_list("sizes", [1, 2, 3])
run.log_row("row", epoch=1, error=0.25)
run.log_table("table", {"x": [1, 2], "y": [3, 4]})
run.tag("colour", "red")
run.add_properties({"shape": "round"})
run.parent.log("from below", 7)
run.parent.tag("below", "was here")
assert run.parent.id != run.id
assert run.experiment.name == "real-package"

# Files
pathlib.Path("outputs").mkdir(exist_ok=True)
pathlib.Path("outputs/kept.txt").write_text("kept")
pathlib.Path("plain.txt").write_text("uploaded")
run.upload_file("files/uploaded.txt", "plain.txt")
pathlib.Path("tree").mkdir()
pathlib.Path("tree/a.txt").write_text("a")
run.upload_folder("tree", "tree")

# Questions
run.flush()
assert run.get_metrics()["accuracy"] == [0.5, 0.75]
assert run.get_secret("real-secret") == "unveiled"
assert run.get_secrets(["real-secret"]) == {"real-secret": "unveiled"}
assert "cpu-cluster" in run.experiment.workspace.compute_targets

# Inputs
frame = run.input_datasets["lines"].to_pandas_dataframe()
assert frame.to_dict("list") == {"colour": ["red", "blue"], "number": [1, 2]}
assert (pathlib.Path(run.input_datasets["folder"]) / "lines.csv").exists()

# Child runs
with run.child_run("first") as child:
    child.log("inner", 1)
second = run.child_run("second")
second.complete()
rated = run.create_children(tag_key="rate", tag_values=[1, 2])
assert rated[0].take_snapshot("tree") == rated[0].get_snapshot_id()
for child in rated:
    child.log_predictions(
        "predictions",
        {"schema_type": "predictions", "schema_version": "v1", "data": {"bin_counts": [1]}},
    )
    child.complete()

# Models
model = run.register_model("real-model", model_path="tree", tags={"by": "the step"})
assert model.version == len(Model.list(run.experiment.workspace, name="real-model"))
again = Model(run.experiment.workspace, name="real-model", version=model.version)
again.download("down")
assert next(pathlib.Path("down").rglob("a.txt")).read_text() == "a"
print(json.dumps({"model": model.id}))

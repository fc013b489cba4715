"""Leaves a model and registers it."""

import pathlib

from azureml.core import Run

folder = pathlib.Path("outputs/model")
folder.mkdir(parents=True)
(folder / "weights.txt").write_text("weights 1")
run = Run.get_context()
run.upload_folder("outputs/model", str(folder))
model = run.register_model("sdk-model", model_path="outputs/model", tags={"stage": "new"})
print("registered", model.id)

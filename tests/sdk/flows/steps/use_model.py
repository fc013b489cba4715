"""Downloads the model that another step registered."""

import pathlib

from azureml.core import Model, Run

model = Model(Run.get_context().experiment.workspace, name="sdk-model", version=1)
path = pathlib.Path(model.download("here"))
print((path / "weights.txt").read_text())

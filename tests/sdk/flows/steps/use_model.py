"""Downloads the model that another step, or somebody at a workstation, registered."""

import pathlib
import sys

from azureml.core import Model, Run

name, file = sys.argv[1:] or ["sdk-model", "model/weights.txt"]
model = Model(Run.get_context().experiment.workspace, name=name, version=1)
model.download("here")
print(pathlib.Path("here", file).read_text())

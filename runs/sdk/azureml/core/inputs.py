"""The data of a step under the names its pipeline gave it."""

import os


class InputDatasets(dict):
    """Name to path for mounted and downloaded inputs, name to Dataset for direct ones."""

    def __init__(self, workspace):
        super(InputDatasets, self).__init__()
        self._load(workspace)

    def _load(self, workspace):
        from azureml.core.dataset import Dataset

        for pair in os.environ.get("AZUREML_DATASET_ENVIRONMENT_VARS", "").split(","):
            name, _, mode = pair.rpartition(":")
            value = os.environ.get(name)
            if not name or value is None:
                continue
            if mode.lower() == "direct":
                value = Dataset._given_to_step(workspace, name, value)
            self[name] = value

    def __missing__(self, name):
        raise KeyError(_absent(name, "input", self))


class OutputDatasets(dict):
    """Name to the path where the step leaves what is to be taken up."""

    def __init__(self):
        super(OutputDatasets, self).__init__()
        for name in os.environ.get("AZUREML_DATASET_FILE_OUTPUTS", "").split(";"):
            name = name.rstrip("/\\")
            if name and name in os.environ:
                self[name] = os.environ[name]

    def __missing__(self, name):
        raise KeyError(_absent(name, "output", self))


def _absent(name, kind, known):
    return "'{}' is no dataset {} of this step; it has: {}".format(
        name, kind, ", ".join(known) or "none"
    )

"""The data of a step under the names its pipeline gave it."""

import os
from collections.abc import MutableMapping


class InputDatasets(MutableMapping, dict):
    """Name to path for mounted and downloaded inputs, name to Dataset for direct ones, each made when
    it is first asked for: one that cannot be read here is no trouble to the others."""

    def __init__(self, workspace):
        super(InputDatasets, self).__init__()
        self._workspace = workspace
        for pair in os.environ.get("AZUREML_DATASET_ENVIRONMENT_VARS", "").split(","):
            name, _, mode = pair.rpartition(":")
            value = os.environ.get(name)
            if name and value is not None:
                self[name] = _Unread(value) if mode.lower() == "direct" else value

    def __getitem__(self, name):
        value = dict.__getitem__(self, name)
        if isinstance(value, _Unread):
            from azureml.core.dataset import Dataset

            value = self[name] = Dataset._given_to_step(self._workspace, name, str(value))
        return value

    def __missing__(self, name):
        raise KeyError(_absent(name, "input", self))

    def __contains__(self, name):
        return dict.__contains__(self, name)

    def __setitem__(self, name, value):
        dict.__setitem__(self, name, value)

    def __delitem__(self, name):
        dict.__delitem__(self, name)

    def __iter__(self):
        return dict.__iter__(self)

    def __len__(self):
        return dict.__len__(self)


class _Unread(str):
    """The saved id of a dataset that nobody has asked for yet."""


class OutputDatasets(dict):
    """The local path of each output, by the name of the output."""

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

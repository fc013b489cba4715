"""The names scripts import from `azureml.core`, each loaded when it is first asked for."""

import sys

from azureml._studio.limits import absent

VERSION = __version__ = "1.61.0+studio"

_HOMES = {
    "Dataset": "azureml.core.dataset",
    "Datastore": "azureml.core.datastore",
    "Experiment": "azureml.core.experiment",
    "Keyvault": "azureml.core.keyvault",
    "Model": "azureml.core.model",
    "Run": "azureml.core.run",
    "Workspace": "azureml.core.workspace",
    "get_run": "azureml.core.run",
}
__all__ = ["VERSION"] + sorted(_HOMES)


def __getattr__(name):
    full_name = "{}.{}".format(__name__, name)
    if full_name in _HOMES.values():  # the real package has its modules loaded
        return _module(full_name)
    if name not in _HOMES:
        raise AttributeError(absent(full_name))
    value = getattr(_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def _module(name):
    __import__(name)
    return sys.modules[name]

"""The names scripts import from `azureml.core`, each loaded when it is first asked for."""

from azureml._studio.limits import lend_names

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
lend_names(__name__)

"""The names scripts import from `azureml.core`, each loaded when it is first asked for."""

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
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(
            "The studio's small azureml package has no azureml.core.{}; STUDIO_AZUREML=real among"
            " the environment's variables installs the real one.".format(name)
        )
    __import__(home)
    import sys

    value = getattr(sys.modules[home], name)
    globals()[name] = value
    return value

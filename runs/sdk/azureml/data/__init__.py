"""Datasets, as a step reads them."""

from azureml._studio.limits import absent

_HOMES = {
    "FileDataset": "azureml.data.file_dataset",
    "TabularDataset": "azureml.data.tabular_dataset",
}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(absent("{}.{}".format(__name__, name)))
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)

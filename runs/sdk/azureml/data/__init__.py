"""Datasets, as a step reads and registers them."""

from azureml._studio.limits import lend_names

_HOMES = {
    "DataPath": "azureml.data.datapath",
    "DataType": "azureml.data.dataset_factory",
    "FileDataset": "azureml.data.file_dataset",
    "TabularDataset": "azureml.data.tabular_dataset",
}
__all__ = ["DataType", "FileDataset", "TabularDataset"]
lend_names(__name__)

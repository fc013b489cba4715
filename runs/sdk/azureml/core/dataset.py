import json
import os

from azureml._studio.limits import Partial, lend_names
from azureml._studio.sources import LocalSource, RemoteSource
from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory
from azureml.data.file_dataset import FileDataset
from azureml.data.tabular_dataset import TabularDataset
from azureml.exceptions import UserErrorException


class Dataset(Partial):
    """The workspace's datasets, and new ones."""

    Tabular = TabularDatasetFactory
    File = FileDatasetFactory

    @staticmethod
    def get_by_name(workspace, name, version="latest"):
        query = {"includeLatestDefinition": "true"}
        if version not in (None, "latest"):
            query["versionId"] = int(version)
        document = workspace._wire.find("dataset", "/datasets/query/name=" + name, **query)
        if document is None:
            raise UserErrorException(
                "Dataset '{}'{} not found in workspace '{}'.".format(
                    name,
                    " with version {}".format(version) if "versionId" in query else "",
                    workspace.name,
                )
            )
        return _registered(workspace, document)

    @staticmethod
    def get_by_id(workspace, id, **kwargs):
        path = "/datasets/query/savedDatasetId=" + id
        found = (workspace._wire.find("dataset", path, pageSize=1) or {}).get("value")
        if found:
            return _registered(workspace, found[0])
        saved = workspace._wire.find("dataset", "/saveddatasets/" + id)
        if saved is None:
            raise UserErrorException("Dataset '{}' not found in workspace.".format(id))
        return _dataset(workspace, saved["datasetType"], id)

    @staticmethod
    def get_all(workspace):
        """Every registered dataset by name, each read when it is asked for."""
        return _Datasets(workspace)

    @staticmethod
    def _given_to_step(workspace, input_name, saved_id):
        """A direct input, from the files that the worker has laid out, or else by its id."""
        given = _laid_out(workspace._scope.facts_dir).get(input_name)
        if not given or "files" not in given:
            return Dataset.get_by_id(workspace, saved_id)
        kind = TabularDataset if given.get("type") == "tabular" else FileDataset
        source = LocalSource(
            given["files"], given.get("format"), given.get("options"), given.get("columns")
        )
        return kind(
            source,
            id=given.get("id", saved_id),
            name=given.get("name"),
            version=given.get("version"),
        )


class _Datasets(dict):
    def __init__(self, workspace):
        reply = workspace._wire.get(
            "dataset",
            "/datasets",
            includeInvisible="false",
            pageSize=100,
            includeLatestDefinition="true",
        )
        super(_Datasets, self).__init__((item["name"], item) for item in reply["value"])
        self._workspace = workspace

    def __getitem__(self, name):
        return _registered(self._workspace, super(_Datasets, self).__getitem__(name))

    def get(self, name, default=None):
        document = super(_Datasets, self).get(name)
        return default if document is None else _registered(self._workspace, document)

    def values(self):
        return [self[name] for name in self]

    def items(self):
        return [(name, self[name]) for name in self]


def _registered(workspace, document):
    latest = document["latest"]
    return _dataset(
        workspace,
        document["datasetType"],
        latest["savedDatasetId"],
        name=document["name"],
        version=int(latest["versionId"]),
        description=document.get("description"),
        tags=document.get("tags"),
    )


def _dataset(workspace, kind, saved_id, **fields):
    source = RemoteSource(workspace, _definition(workspace, saved_id))
    return (TabularDataset if kind == "tabular" else FileDataset)(source, id=saved_id, **fields)


def _definition(workspace, saved_id):
    path = "/dataversion/unregistered-{}/versions/1".format(saved_id)
    return workspace._wire.get("data", path, includeSavedDatasets="true")["legacyDataflow"]


def _laid_out(folder):
    try:
        with open(os.path.join(folder or "", "inputs.json"), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


lend_names(__name__)

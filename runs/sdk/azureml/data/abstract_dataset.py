import json

from azureml._studio.limits import Partial


class AbstractDataset(Partial):
    """A dataset by its saved id; name and version are None when it is not registered."""

    def __init__(self, source, id=None, name=None, version=None, description=None, tags=None):
        self._source = source
        self.id = id
        self.name = name
        self.version = version
        self.description = description
        self.tags = tags or {}

    def register(self, workspace, name, description=None, tags=None, create_new_version=False):
        """Give the dataset a name in the workspace; the one that is registered is returned."""
        from azureml.core.dataset import _definition, _registered

        again = "true" if create_new_version else "false"
        text = self._source.text or _definition(workspace, self.id)
        body = {
            "name": name,
            "description": description,
            "tags": tags or {},
            "isVisible": True,
            "datasetType": self._kind,
            "latest": {
                "dataflow": json.dumps({"blocks": [], "meta": {"RsDataflow": text}}),
                "properties": {},
            },
        }
        query = {
            "registerAsPending": "false",
            "ifExistsOk": again,
            "updateDefinitionIfExists": again,
            "withDataHash": "false",
        }
        document = workspace._wire.call(
            "POST", "dataset", "/datasets", query=query, body=body, repeatable=False
        )
        return _registered(workspace, document)

    def __repr__(self):
        return "{}(id={!r}, name={!r}, version={!r})".format(
            type(self).__name__, self.id, self.name, self.version
        )

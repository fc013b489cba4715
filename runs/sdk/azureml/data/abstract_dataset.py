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

    def __repr__(self):
        return "{}(id={!r}, name={!r}, version={!r})".format(
            type(self).__name__, self.id, self.name, self.version
        )

from azureml._studio.limits import Partial, lend_names


class DataPath(Partial):
    """A path in a datastore."""

    def __init__(self, datastore=None, path_on_datastore=None, name=None):
        self._datastore = datastore
        self.path_on_datastore = (path_on_datastore or "").lstrip("/")
        self.name = name

    @property
    def datastore_name(self):
        return None if self._datastore is None else self._datastore.name

    def __repr__(self):
        return "DataPath({}/{})".format(self.datastore_name, self.path_on_datastore)


lend_names(__name__)

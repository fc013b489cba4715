"""Where a dataset's files are: laid out by the worker, or fetched when first needed."""

import os
import posixpath
import re
import threading

from azureml.exceptions import DatasetValidationError

DATASTORE_ADDRESS = re.compile(r"^azureml://.*/?datastores/(?P<name>[^/]+)/paths/(?P<path>.*)$")


class LocalSource(object):
    def __init__(self, files, reading=None, options=None, columns=None):
        self.reading = reading
        self.options = options or {}
        self.columns = columns or {}
        self._files = [os.path.abspath(file) for file in files]
        self.text = None  # its definition, which the worker has kept to itself

    def files(self):
        """Pairs of the path inside the dataset and the local path."""
        if not self._files:
            return []
        root = os.path.commonpath([os.path.dirname(file) for file in self._files])
        return [(os.path.relpath(file, root).replace(os.sep, "/"), file) for file in self._files]


class RemoteSource(object):
    """A dataset known by its definition only; its files are fetched once, into a folder that goes
    with the process."""

    def __init__(self, workspace, text):
        from azureml._studio.mltable import definition

        self._workspace = workspace
        self.text = text
        self._paths, self.reading, self.options, self.columns = definition(text)
        self._lock = threading.Lock()
        self._fetched = None
        self._folder = None

    def files(self):
        with self._lock:
            if self._fetched is None:
                import tempfile

                self._folder = tempfile.TemporaryDirectory(prefix="azureml-dataset-")
                files = []
                for number, (_, address) in enumerate(self._paths):
                    files.extend(self._fetch(address, os.path.join(self._folder.name, str(number))))
                self._fetched = LocalSource(files)
            return self._fetched.files()

    def _fetch(self, address, folder):
        match = DATASTORE_ADDRESS.match(address)
        if match:
            from azureml.core.datastore import Datastore

            from urllib.parse import unquote

            store = Datastore(self._workspace, unquote(match.group("name")))
            return store._fetch(unquote(match.group("path")), folder)
        if address.startswith(("http://", "https://")):
            from urllib.parse import unquote, urlsplit

            from azureml._studio import artifacts

            if "*" in address:
                raise DatasetValidationError(
                    "{}: a pattern cannot be looked up over HTTP.".format(address)
                )
            name = posixpath.basename(unquote(urlsplit(address).path)) or "file"
            target = os.path.join(folder, name)
            artifacts.fetch(self._workspace._wire, address, target)
            return [target]
        raise DatasetValidationError(
            "The dataset's address '{}' cannot be opened from here.".format(address)
        )

"""The methods with which a script reports on a run. A writer sends what they report."""

import os

from azureml._studio import metrics
from azureml._studio.artifacts import artifact_name, location
from azureml.exceptions import UserErrorException


class Teller(object):
    """Needs `_writer`: a FactWriter or a RemoteWriter; for snapshots `_wire` and `get_properties`."""

    def log(self, name, value, description="", step=None):
        self._writer.metric(metrics.scalar(name, value, step))

    def log_list(self, name, value, description=""):
        self._writer.metric(metrics.listed(name, value))

    def log_row(self, name, description=None, **kwargs):
        self._writer.metric(metrics.row(name, kwargs))

    def log_table(self, name, value, description=""):
        self._writer.metric(metrics.table(name, value))

    def log_image(self, name, path=None, plot=None, description=""):
        from azureml._studio.images import image_file

        file_name, source = image_file(name, path, plot)
        self._log_artifact(name, metrics.IMAGE, file_name, source)

    def log_confusion_matrix(self, name, value, description=""):
        self._log_json(name, "azureml.v2.confusion_matrix", value)

    def log_accuracy_table(self, name, value, description=""):
        self._log_json(name, "azureml.v2.accuracy_table", value)

    def log_residuals(self, name, value, description=""):
        self._log_json(name, "azureml.v2.residuals", value)

    def log_predictions(self, name, value, description=""):
        self._log_json(name, "azureml.v2.predictions", value)

    def _log_json(self, name, kind, value):
        import io
        import json

        try:
            text = json.dumps(json.loads(value) if isinstance(value, str) else value)
        except ValueError:
            raise UserErrorException("The {} '{}' is no JSON.".format(kind, name))
        self._log_artifact(name, kind, str(name), io.BytesIO(text.encode("utf-8")))

    def _log_artifact(self, name, kind, file_name, source):
        path = artifact_name(file_name)
        self._writer.upload(path, source)
        self._writer.metric(metrics.artifact(name, kind, location(self._writer.container, path)))

    def upload_file(self, name, path_or_stream, datastore_name=None):
        source = path_or_stream if hasattr(path_or_stream, "read") else os.fspath(path_or_stream)
        if isinstance(source, str) and not os.path.isfile(source):
            raise UserErrorException("The file '{}' to upload does not exist.".format(source))
        self._writer.upload(artifact_name(name), source)

    def upload_files(
        self, names, paths, return_artifacts=False, timeout_seconds=None, datastore_name=None
    ):
        if len(names) != len(paths):
            raise TypeError("{} names were given for {} paths.".format(len(names), len(paths)))
        for name, path in zip(names, paths):
            self.upload_file(name, path)

    def upload_folder(self, name, path, datastore_name=None):
        if not os.path.isdir(path):
            raise UserErrorException("The folder '{}' to upload does not exist.".format(path))
        for folder, _, files in os.walk(path):
            for file in files:
                source = os.path.join(folder, file)
                self.upload_file(os.path.join(name, os.path.relpath(source, path)), source)

    def get_snapshot_id(self):
        return self.get_properties().get("ContentSnapshotId")

    def take_snapshot(self, file_or_folder_path):
        from azureml._studio import snapshots

        existing = self.get_snapshot_id()
        if existing is not None:
            raise UserErrorException(
                "Cannot take snapshot as the run already has one: {}".format(existing)
            )
        taken = snapshots.take(self._wire, file_or_folder_path)
        self.add_properties({"ContentSnapshotId": taken})
        return taken

    def tag(self, key, value=None):
        self.set_tags({key: value})

    def set_tags(self, tags):
        self._writer.tags(_texts(tags))

    def remove_tags(self, tags):
        self._writer.remove_tags([tags] if isinstance(tags, str) else [str(tag) for tag in tags])

    def add_properties(self, properties):
        self._writer.properties(_texts(properties))

    def start(self):
        self._writer.status("Running")

    def complete(self, _set_status=True):
        self._writer.status("Completed")

    def fail(self, error_details=None, error_code=None, _set_status=True):
        """Accepts a text or an exception, which tells its type too."""
        message = "" if error_details is None else str(error_details)
        if isinstance(error_details, BaseException):
            message = "{}: {}".format(type(error_details).__name__, message).rstrip(": ")
        self._writer.status("Failed", message or None, error_code)

    def cancel(self):
        self._writer.status("Canceled")

    def flush(self, timeout_seconds=300):
        self._writer.wait_until_applied()


def _texts(values):
    return {str(key): "" if values[key] is None else str(values[key]) for key in values}

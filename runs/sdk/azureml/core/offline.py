"""What `Run.get_context()` gives outside a run, so that a script can be tried on its own."""

import os


class _OfflineRun(object):
    """Prints what it is told. As in the v1 SDK it has no experiment, parent or datasets."""

    def __init__(self, parent_logger=None, run_id=None, **kwargs):
        self.id = run_id or "OfflineRun_" + _random_id()

    def _emit(self, kind, name, value):
        print("Attempted to log {} metric {}:\n{}".format(kind, name, value))

    def log(self, name, value, description="", step=None):
        self._emit("scalar", name, value)

    def log_list(self, name, value, description=""):
        self._emit("list", name, value)

    def log_table(self, name, value, description=""):
        self._emit("table", name, value)

    def log_row(self, name, description=None, **kwargs):
        self._emit("row", name, kwargs)

    def log_image(self, name, path=None, plot=None, description=""):
        self._emit("image", name, plot or path)

    def log_residuals(self, name, value, description=None):
        self._emit("residual", name, value)

    def log_predictions(self, name, value, description=None):
        self._emit("predictions", name, value)

    def log_accuracy_table(self, name, value, description=None):
        self._emit("accuracy_table", name, value)

    def log_confusion_matrix(self, name, value, description=None):
        self._emit("confusion_matrix", name, value)

    def tag(self, key, value=None):
        print("Attempted to add tag {} with value {}".format(key, value))

    def set_tags(self, tags):
        print("Attempted to set tags {}".format(tags))

    def remove_tags(self, tags):
        print("Attempted to remove tags {}".format(tags))

    def add_properties(self, properties):
        print("Attempted to add properties {}".format(properties))

    def upload_file(self, name, path_or_stream, datastore_name=None):
        print("Attempted to track file {} at {}".format(name, path_or_stream))

    def upload_files(
        self, names, paths, return_artifacts=False, timeout_seconds=None, datastore_name=None
    ):
        print("Attempted to track files {} at {}".format(names, paths))

    def upload_folder(self, name, path, datastore_name=None):
        print("Attempted to track folder {} at {}".format(name, path))

    def child_run(self, name=None, run_id=None, outputs=None):
        return _OfflineRun(run_id=run_id or "{}.{}".format(self.id, name or _random_id()))

    def complete(self):
        print("Attempted to complete run with id {}".format(self.id))

    def fail(self, error_details=None, error_code=None):
        print("Attempted to fail run with id {}: {}".format(self.id, error_details))

    def cancel(self):
        print("Attempted to cancel run with id {}".format(self.id))

    def flush(self, timeout_seconds=300):
        print("Attempted to flush run with id {}".format(self.id))

    def __enter__(self):
        print("[START] Run {} context".format(self.id))
        return self

    def __exit__(self, kind, error, traceback):
        print("[STOP] Run {} context".format(self.id))


def _random_id():
    digits = "".join("{:02x}".format(byte) for byte in bytearray(os.urandom(16)))
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

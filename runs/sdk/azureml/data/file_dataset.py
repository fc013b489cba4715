import os

from azureml._studio.limits import lend_names
from azureml.data.abstract_dataset import AbstractDataset
from azureml.exceptions import UserErrorException


class FileDataset(AbstractDataset):
    """Files, as they are."""

    _kind = "file"

    def to_path(self):
        """The paths inside the dataset, each with a leading slash."""
        return ["/" + name for name, _ in self._source.files()]

    def download(self, target_path=None, overwrite=False, **kwargs):
        """Copy the files below a folder (default: a temporary one); returns their paths."""
        import shutil
        import tempfile

        folder = os.path.abspath(target_path) if target_path else tempfile.mkdtemp()
        pairs = [
            (os.path.join(folder, *name.split("/")), source)
            for name, source in self._source.files()
        ]
        for target, _ in pairs:
            if not overwrite and os.path.exists(target):
                raise UserErrorException("'{}' exists; overwrite=True replaces it.".format(target))
        for target, source in pairs:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target)
        return [target for target, _ in pairs]

    def mount(self, mount_point=None, **kwargs):
        return MountContext(self, mount_point)


class MountContext(object):
    """A plain folder with the files, there from `start()` or the beginning of a `with` block."""

    def __init__(self, dataset, mount_point=None):
        self._dataset = dataset
        self._temporary = None
        self.mount_point = mount_point

    def start(self):
        import tempfile

        if self.mount_point is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="azureml-mount-")
            self.mount_point = self._temporary.name
        self._dataset.download(self.mount_point, overwrite=True)

    def stop(self):
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *details):
        self.stop()


lend_names(__name__)

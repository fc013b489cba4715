import os

from azureml._studio import artifacts
from azureml._studio.limits import Partial, lend_names
from azureml.exceptions import UserErrorException


class Datastore(Partial):
    """A place for files, reached through signed addresses of the studio."""

    def __new__(cls, workspace, name=None):
        return cls.get(workspace, name) if name else cls.get_default(workspace)

    @classmethod
    def _of(cls, workspace, document):
        store = object.__new__(cls)
        store.workspace = workspace
        store.name = document["name"]
        store.datastore_type = document.get("dataStoreType")
        store._section = document.get("azureStorageSection") or {}
        return store

    @classmethod
    def get(cls, workspace, datastore_name):
        document = workspace._wire.find("datastore", "/datastores/" + datastore_name)
        if document is None:
            raise UserErrorException(
                "Datastore '{}' not found in workspace.".format(datastore_name)
            )
        return cls._of(workspace, document)

    @classmethod
    def get_default(cls, workspace):
        return cls._of(workspace, workspace._wire.get("datastore", "/default"))

    @property
    def container_name(self):
        return self._section.get("containerName")

    @property
    def account_name(self):
        return self._section.get("accountName")

    def _address(self, path="", **query):
        from urllib.parse import quote, urlencode

        section = self._section
        signature = (section.get("sasToken") or section.get("credential") or "").lstrip("?")
        return "{}://{}.blob.{}/{}{}?{}".format(
            section.get("protocol") or "https",
            section["accountName"],
            section["endpoint"],
            section["containerName"],
            "/" + quote(path) if path else "",
            "&".join(part for part in (signature, urlencode(query)) if part),
        )

    def _uri(self, path):
        from urllib.parse import quote

        scope = self.workspace._scope
        return "azureml://subscriptions/{}/resourcegroups/{}/workspaces/{}/datastores/{}/paths/{}".format(
            scope.subscription_id,
            scope.resource_group,
            scope.workspace_name,
            self.name,
            quote(path, safe="/*"),
        )

    def _names(self, prefix):
        from xml.etree import ElementTree

        marker = ""
        while marker is not None:
            query = {"restype": "container", "comp": "list", "prefix": prefix}
            if marker:
                query["marker"] = marker
            with self.workspace._wire.open("GET", self._address(**query)) as reply:
                document = ElementTree.fromstring(reply.read())
            for name in document.iterfind("Blobs/Blob/Name"):
                yield name.text
            marker = document.findtext("NextMarker") or None

    def _fetch(self, path, folder):
        """Download a file, a folder or a pattern below `folder`; returns the local paths."""
        import fnmatch

        path = path.lstrip("/")
        root = path.split("*")[0].rpartition("/")[0] if "*" in path else path.rstrip("/")
        files = []
        for name in self._names(root):
            if "*" in path:
                wanted = fnmatch.fnmatchcase(name, path.replace("**/", "*"))
            else:
                wanted = name == root or name.startswith(root + "/") or not root
            if wanted:
                inner = os.path.basename(name) if name == root else name[len(root) :].lstrip("/")
                files.append(self._download(name, os.path.join(folder, *inner.split("/"))))
        return files

    def _download(self, name, target):
        artifacts.fetch(self.workspace._wire, self._address(name), target)
        return target

    def download(self, target_path, prefix=None, overwrite=False, show_progress=True):
        """Download all files below the prefix under their names; returns how many."""
        count = 0
        for name in self._names(prefix or ""):
            target = os.path.join(target_path, *artifacts.artifact_name(name).split("/"))
            if overwrite or not os.path.exists(target):
                self._download(name, target)
                count += 1
        return count

    def upload(self, src_dir, target_path=None, overwrite=False, show_progress=True):
        files = [
            os.path.join(folder, name)
            for folder, _, names in os.walk(src_dir)
            for name in sorted(names)
        ]
        return self.upload_files(files, src_dir, target_path, overwrite, show_progress)

    def upload_files(
        self, files, relative_root=None, target_path=None, overwrite=False, show_progress=True
    ):
        root = relative_root or (os.path.dirname(os.path.commonprefix(list(files))) or ".")
        for file in files:
            name = os.path.join(target_path or "", os.path.relpath(file, root))
            name = artifacts.artifact_name(name)
            if overwrite or name not in self._names(name):
                artifacts.put(self.workspace._wire, self._address(name), file)

    def __repr__(self):
        return "Datastore(name={!r})".format(self.name)


lend_names(__name__)

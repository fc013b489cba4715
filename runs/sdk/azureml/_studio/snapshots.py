"""A folder of code, kept by the studio as it is now."""

import os
import uuid

from azureml._studio import artifacts
from azureml.exceptions import UserErrorException


def take(wire, path):
    """The id of the snapshot: of all files, as the folder of a step holds nothing but its code and
    what the step made. One file is a folder with that file."""
    path = os.fspath(path)
    if not os.path.exists(path):
        raise UserErrorException("There is nothing to take a snapshot of at '{}'.".format(path))
    folder = path if os.path.isdir(path) else os.path.dirname(path) or "."
    names = sorted(_names(folder) if os.path.isdir(path) else [os.path.basename(path)])
    nodes = wire.post("content", "/snapshots/getblob", {"FileNames": names}, repeatable=True)
    sent = []
    for node in nodes["fileNodes"]:
        source = os.path.join(folder, *node["fullName"].split("/"))
        artifacts.put(wire, node["blobUri"], source)
        sent.append(
            {
                "FullName": node["fullName"],
                "BlobUri": node["blobUri"],
                "FileSize": os.path.getsize(source),
            }
        )
    snapshot_id = str(uuid.uuid4())
    body = {
        "ParentSnapshotId": None,
        "Tags": None,
        "Properties": {},
        "DirTreeNode": _tree(names),
        "FileRevisionList": {"FileNodes": sent},
    }
    wire.post("content", "/snapshots/" + snapshot_id, body)
    return snapshot_id


def _names(folder):
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            found = os.path.relpath(os.path.join(place, name), folder)
            yield found.replace(os.sep, "/")


def _tree(names):
    root = _node("", "Directory")
    for name in names:
        parts = name.split("/")
        place = root
        for part in parts[:-1]:
            place = place["children"].setdefault(part, _node(part, "Directory"))
        place["children"][parts[-1]] = _node(parts[-1], "File")
    return root


def _node(name, kind):
    return {"name": name, "type": kind, "hash": None, "children": {}}

"""Datastores and datasets on fsspec. No other package opens paths that users name."""

from endpoints.data.dataflow import (
    Dataflow,
    DataflowError,
    datastore_path,
    datastore_uri,
    read_dataflow,
    write_dataflow,
    yaml_of,
)
from endpoints.data.datasets import find_saved, locate, places_of
from endpoints.data.outputs import read_transformations, write_output_dataflow
from endpoints.data.places import (
    Entry,
    Location,
    Place,
    WebFile,
    find,
    path_on_datastore,
    resolve,
)
from endpoints.data.transfer import (
    Taken,
    changed,
    inventory,
    materialise,
    move_tree,
    remove_empty_folders,
    remove_files,
    upload_tree,
)
from studio.storage.paths import PathError

__all__ = [
    "Dataflow",
    "DataflowError",
    "Entry",
    "Location",
    "PathError",
    "Place",
    "Taken",
    "WebFile",
    "changed",
    "datastore_path",
    "datastore_uri",
    "find",
    "find_saved",
    "inventory",
    "locate",
    "materialise",
    "move_tree",
    "path_on_datastore",
    "places_of",
    "read_dataflow",
    "read_transformations",
    "remove_empty_folders",
    "remove_files",
    "resolve",
    "upload_tree",
    "write_dataflow",
    "write_output_dataflow",
    "yaml_of",
]

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
    PathError,
    Place,
    WebFile,
    find,
    relative_path,
    resolve,
    root_of,
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
    "places_of",
    "read_dataflow",
    "read_transformations",
    "relative_path",
    "remove_empty_folders",
    "remove_files",
    "resolve",
    "root_of",
    "upload_tree",
    "write_dataflow",
    "write_output_dataflow",
    "yaml_of",
]

"""Datasets made by a script, of what is in datastores or on the web."""

import json
import os

from azureml._studio.limits import HOW, Partial, lend_names
from azureml._studio.sources import RemoteSource
from azureml.data.datapath import DataPath
from azureml.data.file_dataset import FileDataset
from azureml.data.tabular_dataset import TabularDataset
from azureml.exceptions import UserErrorException

HEADERS = {True: "all_files_same_headers", False: "no_header"}


class DataType(Partial):
    """Types for `set_column_types`, in the words of a dataset's definition."""

    @staticmethod
    def to_string():
        return "string"

    @staticmethod
    def to_long():
        return "int"

    @staticmethod
    def to_float(decimal_mark="."):
        _lacks(decimal_mark=decimal_mark != ".")
        return "float"

    @staticmethod
    def to_bool():
        return "boolean"

    @staticmethod
    def to_datetime(formats=None):
        formats = [formats] if isinstance(formats, str) else formats
        return {"datetime": {"formats": formats}} if formats else "datetime"


class TabularDatasetFactory(Partial):
    """`Dataset.Tabular`."""

    @staticmethod
    def from_delimited_files(
        path,
        validate=True,
        include_path=False,
        infer_column_types=True,
        set_column_types=None,
        separator=",",
        header=True,
        partition_format=None,
        support_multi_line=False,
        empty_as_string=False,
        encoding="utf8",
    ):
        _lacks(
            include_path=include_path,
            partition_format=partition_format,
            empty_as_string=empty_as_string,
        )
        header = str(getattr(header, "name", header))  # also of an enumeration's
        options = {
            "delimiter": separator,
            "header": HEADERS.get({"True": True, "False": False}.get(header), header.lower()),
            "support_multi_line": bool(support_multi_line),
            "empty_as_string": False,
            "encoding": encoding,
            "include_path_column": False,
            "infer_column_types": bool(infer_column_types),
        }
        return _tabular(path, {"read_delimited": options}, set_column_types)

    @staticmethod
    def from_parquet_files(
        path, validate=True, include_path=False, set_column_types=None, partition_format=None
    ):
        _lacks(include_path=include_path, partition_format=partition_format)
        options = {"include_path_column": False}
        return _tabular(path, {"read_parquet": options}, set_column_types)

    @staticmethod
    def from_json_lines_files(
        path,
        validate=True,
        include_path=False,
        set_column_types=None,
        partition_format=None,
        invalid_lines="error",
        encoding="utf8",
    ):
        _lacks(
            include_path=include_path,
            partition_format=partition_format,
            invalid_lines=invalid_lines != "error",
        )
        options = {
            "encoding": encoding,
            "invalid_lines": invalid_lines,
            "include_path_column": False,
        }
        return _tabular(path, {"read_json_lines": options}, set_column_types)

    @staticmethod
    def register_pandas_dataframe(
        dataframe, target, name, description=None, tags=None, show_progress=True, **kwargs
    ):
        """Store a data frame as Parquet and register it. `target` is a datastore, or one with a path."""
        import tempfile
        import uuid

        store, path = _place(target)
        path = "/".join(part for part in (path.strip("/"), str(uuid.uuid4())) if part)
        with tempfile.TemporaryDirectory() as folder:
            dataframe.to_parquet(os.path.join(folder, "data.parquet"), index=False)
            store.upload(folder, path, overwrite=True)
        made = TabularDatasetFactory.from_parquet_files((store, path + "/*.parquet"))
        return made.register(store.workspace, name, description, tags, create_new_version=True)


class FileDatasetFactory(Partial):
    """`Dataset.File`."""

    @staticmethod
    def from_files(path, validate=True, partition_format=None, is_file=False):
        _lacks(partition_format=partition_format)
        workspace, paths = _paths(path)
        return FileDataset(RemoteSource(workspace, json.dumps({"paths": paths})))

    @staticmethod
    def upload_directory(src_dir, target, pattern=None, overwrite=False, show_progress=True):
        _lacks(pattern=pattern)
        store, path = _place(target)
        store.upload(src_dir, path, overwrite=overwrite)
        return FileDatasetFactory.from_files((store, path.rstrip("/") + "/**"))


def _tabular(path, reading, types):
    workspace, paths = _paths(path)
    steps = [reading]
    if types:
        converted = [{"columns": name, "column_type": types[name]} for name in types]
        steps.append({"convert_column_types": converted})
    text = json.dumps({"paths": paths, "transformations": steps})
    return TabularDataset(RemoteSource(workspace, text))


def _paths(path):
    """The workspace and the paths of a definition: an address, a place in a datastore, or a list."""
    from azureml.core.workspace import Workspace

    is_one = not isinstance(path, list)
    paths, workspace = [], None
    for each in [path] if is_one else path:
        if isinstance(each, str) and "://" in each:
            paths.append({"pattern": each} if "*" in each else {"file": each})
            continue
        store, place = _place(each)
        workspace = workspace or store.workspace
        paths.append({"pattern": store._uri(place)})
    if not paths:
        raise UserErrorException("A dataset needs at least one path.")
    return workspace or Workspace(), paths


def _place(given):
    """A datastore and a path in it, of a DataPath or of a pair."""
    if isinstance(given, DataPath):
        given = (given._datastore, given.path_on_datastore)
    if hasattr(given, "_uri"):
        given = (given, "")
    if isinstance(given, tuple) and len(given) == 2 and hasattr(given[0], "_uri"):
        return given[0], str(given[1] or "").lstrip("/")
    raise UserErrorException(
        "{!r} is no place of a dataset: give a web address, (datastore, 'path') or a DataPath. Local"
        " files are uploaded first, with datastore.upload().".format(given)
    )


def _lacks(**options):
    for name in options:
        if options[name]:
            raise NotImplementedError(
                "The studio's small azureml package has no '{}' for datasets. {}".format(name, HOW)
            )


lend_names(__name__)

"""The text of a saved dataset (wire.md 10.1): `{"blocks": [], "meta": {"RsDataflow": <MLTable
yaml>}}`.

What is written here is understood by the real SDK's engine and by our own reader.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

import yaml
from django.core.exceptions import ValidationError

from studio.core import yaml_bounds
from studio.core.models import Workspace

MAX_BYTES = 1 << 20
MOST_VALUES = 100_000
READERS = {
    "read_delimited": "delimited",
    "read_json_lines": "json_lines",
    "read_parquet": "parquet",
    "read_files": "files",
}
DATASTORE_URI = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resourcegroups/[^/]+/workspaces/[^/]+/)?datastores/([^/]+)/paths/(.*)"
    r"|AmlDatastore://([^/]+)/(.*)",
    re.IGNORECASE,
)


class DataflowError(ValidationError):
    """A dataset definition that cannot be read."""


@dataclass(frozen=True)
class Dataflow:
    """`paths` are (kind, uri) with kind file, folder or pattern; `format` is None for file
    datasets."""

    paths: tuple[tuple[str, str], ...]
    format: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    transformations: tuple[Any, ...] = ()

    @property
    def columns(self) -> dict[str, Any]:
        """What happens to columns: `types`, {column: type}, of which the last one per column
        counts, and `choices` of columns to keep or drop."""
        types: dict[str, Any] = {}
        choices: list[Any] = []
        for row in self.transformations:
            for name, given in row.items() if isinstance(row, dict) else ():
                if name == "convert_column_types":
                    entries = [entry for entry in _list_of(given) if isinstance(entry, dict)]
                    types |= {
                        str(column): entry.get("column_type")
                        for entry in entries
                        for column in _list_of(entry.get("columns"))
                    }
                elif name in ("keep_columns", "drop_columns"):
                    choices.append([name, _list_of(given)])
        return {"types": types, "choices": choices}


def _list_of(given: object) -> list[Any]:
    return given if isinstance(given, list) else [given]


def read_dataflow(text: str) -> Dataflow:
    """What a saved dataset reads, from the client's JSON or from bare MLTable YAML."""
    document = _document(text)
    rows = document.get("paths")
    if not isinstance(rows, list) or not rows:
        raise DataflowError("The dataset definition names no paths.")
    transformations = document.get("transformations") or []
    reader, options = _reader(transformations if isinstance(transformations, list) else [])
    return Dataflow(tuple(_path(row) for row in rows), reader, options, tuple(transformations))


def yaml_of(text: str) -> str:
    """`meta.RsDataflow`, which the SDK reads as `legacyDataflow`."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    meta = document.get("meta") if isinstance(document, dict) else None
    found = meta.get("RsDataflow") if isinstance(meta, dict) else None
    if not isinstance(found, str):
        raise DataflowError("The dataset definition has no meta.RsDataflow.")
    return found


def _document(text: str) -> dict[str, Any]:
    if not isinstance(text, str) or len(text) > MAX_BYTES:
        raise DataflowError(f"A dataset definition is a text of at most {MAX_BYTES >> 20} MiB.")
    try:
        document = yaml_bounds.load(yaml_of(text), most=MOST_VALUES)
    except yaml_bounds.OutOfBounds as error:
        raise DataflowError(f"The dataset definition {error}.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DataflowError(f"The dataset definition is not YAML: {error}.") from error
    if not isinstance(document, dict):
        raise DataflowError("The dataset definition is not a mapping.")
    return document


def _path(row: object) -> tuple[str, str]:
    if isinstance(row, dict):
        for kind in ("file", "folder", "pattern"):
            if isinstance(row.get(kind), str):
                return kind, row[kind]
    raise DataflowError(
        f"The dataset definition has a path that cannot be read here: {row!r:.200}."
    )


def _reader(transformations: list[Any]) -> tuple[str | None, dict[str, Any]]:
    for row in transformations:
        name = (
            row
            if isinstance(row, str)
            else next(iter(row), None)
            if isinstance(row, dict)
            else None
        )
        if name in READERS:
            options = row[name] if isinstance(row, dict) else {}
            return READERS[name], options if isinstance(options, dict) else {}
    return None, {}


def datastore_path(uri: str) -> tuple[str, str] | None:
    """The datastore and path of a URI; None for other kinds of address."""
    match = DATASTORE_URI.fullmatch(uri)
    if match is None:
        return None
    name, path = (match[1], match[2]) if match[1] else (match[3], match[4])
    return unquote(name), unquote(path.partition("?")[0])


def datastore_uri(workspace: Workspace, datastore: str, path: str) -> str:
    return (
        f"azureml://subscriptions/{workspace.subscription_id}/resourcegroups/{workspace.resource_group}"
        f"/workspaces/{workspace.name}/datastores/{datastore}/paths/{quote(path, '/*')}"
    )


def write_dataflow(uris: list[str], *, tabular: bool, delimiter: str = ",") -> str:
    """The text of a new dataset over `uris`, in the same form as clients post it."""
    document: dict[str, Any] = {"paths": [{"pattern": uri} for uri in uris]}
    if tabular:
        document["transformations"] = [
            {
                "read_delimited": {
                    "delimiter": delimiter,
                    "header": "all_files_same_headers",
                    "support_multi_line": False,
                    "empty_as_string": False,
                    "encoding": "utf8",
                    "include_path_column": False,
                    "infer_column_types": True,
                }
            }
        ]
    return dump_dataflow(document)


def dump_dataflow(document: dict[str, Any]) -> str:
    """An MLTable document in the form that clients post."""
    return json.dumps(
        {
            "blocks": [],
            "meta": {"RsDataflow": yaml.safe_dump(document, sort_keys=False, width=10_000)},
        }
    )

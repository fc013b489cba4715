"""Values of data path and dataset parameters. They are stored as clients post and read them: a
DataPath, and a DataSetDefinitionValue (wire.md 7.1)."""

from collections.abc import Mapping
from typing import Any

DATAPATH_KEYS = STORE, PATH = "DataStoreName", "RelativePath"
SAVED, REGISTERED = "SavedDataSetReference", "DataSetReference"


class Unreadable(ValueError):
    """One value that cannot be read as its parameter's kind."""


def datapath(datastore: str, path: str) -> dict[str, str]:
    return {STORE: datastore, PATH: path}


def datapath_parts(value: Mapping[str, str]) -> tuple[str, str]:
    """The datastore and the path."""
    return value[STORE], value[PATH]


def saved_dataset(uuid: str) -> dict[str, dict[str, Any]]:
    return {SAVED: {"Id": uuid}}


def registered_dataset(name: str, version: str = "") -> dict[str, dict[str, Any]]:
    return {REGISTERED: {"Name": name} | ({"Version": version} if version else {})}


def dataset_text(value: Mapping[str, Any]) -> str:
    """`name:version`, or the id of a saved dataset."""
    if value.get(SAVED):
        return str(value[SAVED]["Id"])
    named = value.get(REGISTERED, {})
    parts = (named.get("Name") or named.get("Id", ""), named.get("Version"))
    return ":".join(filter(None, parts))


def datapath_text(value: Mapping[str, str]) -> str:
    """`datastore/path`, as ParameterAssignments spell a data path."""
    return "/".join(datapath_parts(value))


def read_datapath(value: object) -> dict[str, str]:
    """A DataPath with keys in any case, or the text `datastore/path`."""
    if isinstance(value, str) and "/" in value.strip("/"):
        store, _, path = value.strip("/").partition("/")
        return datapath(store, path)
    keys = _lowered(value)
    name, below = keys.get("datastorename"), keys.get("relativepath", "")
    if not isinstance(name, str) or not name or not isinstance(below, str):
        raise Unreadable('Expected {"DataStoreName": "…", "RelativePath": "…"}.')
    return datapath(name, below)


def read_dataset(value: object) -> dict[str, dict[str, Any]]:
    """A DataSetDefinitionValue with keys in any case: a saved dataset by Id, or a registered
    dataset."""
    keys = _lowered(value)
    saved = _lowered(keys.get("saveddatasetreference"))
    if isinstance(saved.get("id"), str) and saved["id"]:
        return saved_dataset(saved["id"])
    registered = _lowered(keys.get("datasetreference"))
    named = {
        key: str(registered[key.lower()])
        for key in ("Id", "Name", "Version")
        if registered.get(key.lower()) not in (None, "")
    }
    if "Id" in named or "Name" in named:
        return {REGISTERED: named}
    raise Unreadable(
        'Expected {"SavedDataSetReference": {"Id": "…"}} or {"DataSetReference": {"Name": "…"}}.'
    )


def _lowered(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {}
    return {str(key).lower(): item for key, item in value.items()}

"""Finds the saved dataset behind a reference on the wire, and the places it reads."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from endpoints.data.dataflow import datastore_path, read_dataflow
from endpoints.data.places import Location, Place, WebFile, resolve
from endpoints.models import Dataset, Datastore, SavedDataset
from endpoints.parameters import REGISTERED, SAVED, read_dataset
from studio.core.errors import BadValue
from studio.core.models import Workspace
from studio.core.uuids import as_uuid
from studio.storage.paths import PathError


def locate(workspace: Workspace, datastore: str, path: str) -> Location:
    """The location of a path on a datastore that a caller names."""
    found = Datastore.objects.filter(workspace=workspace, name=datastore).first()
    if found is None:
        raise BadValue(f"Datastore {datastore} not found in workspace.", field="datastore")
    found.workspace = workspace
    return resolve(found, path)


def find_saved(workspace: Workspace, reference: Mapping[str, Any]) -> SavedDataset:
    """The saved dataset that a DataSetDefinitionValue names (wire.md 7.1): by its id, or by name or
    id of a registered dataset and a version (default: the latest)."""
    wanted = read_dataset(reference)
    saved = wanted.get(SAVED)
    if saved:
        found = SavedDataset.objects.filter(workspace=workspace, uuid=_uuid(saved["Id"])).first()
        if found is None:
            raise BadValue(f"Dataset {saved['Id']} not found in workspace.", target=SAVED)
        return found
    return _registered(workspace, wanted[REGISTERED])


def _registered(workspace: Workspace, reference: Mapping[str, str]) -> SavedDataset:
    datasets = Dataset.objects.filter(workspace=workspace)
    named = reference.get("Name") or reference.get("Id")
    if "Id" in reference:
        dataset = datasets.filter(uuid=_uuid(reference["Id"])).first()
    else:
        dataset = datasets.filter(name=reference["Name"]).first()
    if dataset is None:
        raise BadValue(f"Dataset {named} not found in workspace.", target=REGISTERED)
    versions = dataset.versions.select_related("saved").order_by("-number")
    wanted = reference.get("Version", "latest")
    if wanted != "latest":
        if not (wanted.isascii() and wanted.isdigit()) or len(wanted) > 9:
            raise BadValue(f"{wanted} is not a version of a dataset.", target="Version")
        versions = versions.filter(number=int(wanted))
    version = versions.first()
    if version is None:
        raise BadValue(f"Dataset {named} has no version {wanted}.", target="Version")
    return version.saved


def _uuid(text: str) -> UUID:
    uuid = as_uuid(text)
    if uuid is None:
        raise BadValue(f"{text!r:.100} is not the id of a dataset.", target="Id")
    return uuid


def places_of(saved: SavedDataset) -> list[Place]:
    """The files and folders that a saved dataset reads."""
    return [_place(saved.workspace, uri) for _, uri in read_dataflow(saved.dataflow).paths]


def _place(workspace: Workspace, uri: str) -> Place:
    stored = datastore_path(uri)
    if stored:
        return locate(workspace, *stored)
    if uri.startswith(("https://", "http://")):
        return WebFile(uri)
    raise PathError(f"{uri!r:.200} is neither a path on a datastore nor an http(s) address.")

"""Records what a step stored in each output. The step's row has the number of files and bytes:
`{"files": 2, "bytes": 10, "listing": "runs/…"}`. The listing, a file beside the logs, has the name and
size of each file, since there may be many thousands. Without files there is no listing."""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote
from uuid import UUID

from endpoints import data
from runs.steps import StepRefused
from studio.core import file_names
from studio.core.errors import BadValue
from studio.core.models import Workspace
from studio.storage.failures import storing
from studio.storage.store import studio_store


def record(
    place: Mapping[str, Any], files: Sequence[data.Entry], *, run: UUID, attempt: int, port: str
) -> dict[str, Any]:
    """Write the listing of an output; returns `place` with the record of its files."""
    found: dict[str, Any] = {"files": len(files), "bytes": sum(file.size for file in files)}
    if files:
        known = {_name(file.path, place): file.size for file in files}
        found["listing"] = listing_of(run, attempt, port)
        with storing(found["listing"]):
            studio_store().write(found["listing"], BytesIO(json.dumps(known).encode()))
    return {**place, "stored": found}


def listings_of(run: UUID, attempt: int) -> str:
    return f"runs/{run}/stored/{attempt}"


def listing_of(run: UUID, attempt: int, port: str) -> str:
    return f"{listings_of(run, attempt)}/{quote(port, safe='')}.json"


def _name(path: str, place: Mapping[str, Any]) -> str:
    """The path below the output's folder; if the output is a single file, its name."""
    if path == place["path"]:
        return PurePosixPath(path).name
    return path.removeprefix(f"{place['path']}/")


def files_of(place: Mapping[str, Any]) -> dict[str, int]:
    """The size of each file that was stored in an output, by name."""
    listing = place.get("stored", {}).get("listing")
    return {} if listing is None else read_listing(listing)


def read_listing(listing: str) -> dict[str, int]:
    """Read a listing; FileNotFoundError if there is none."""
    known: dict[str, int] = json.loads(b"".join(studio_store().stream(listing)))
    return known


def found_at(location: data.Location, place: Mapping[str, Any]) -> dict[str, int]:
    """The size of each file that exists there now, by name. Lists the folder without reading the files."""
    return {_name(entry.path, place): entry.size for entry in location.files()}


def require(place: Mapping[str, Any], found: Mapping[str, object], *, named: str) -> None:
    """Raise StepRefused if a file that an earlier step stored is missing. Additional files are allowed."""
    gone = next((name for name in files_of(place) if name not in found), None)
    if gone is not None:
        raise StepRefused(
            f"{named} is incomplete: {file_names.shown(gone)} is gone from {place['datastore']}/{place['path']}."
            " Run the step that made it again (RegenerateOutputs), or restore the file."
        )


def what_is_gone(workspace: Workspace, outputs: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The first file of a step's outputs that is missing or has another size; None if all are there."""
    for place in outputs.values():
        try:
            known = files_of(place)
            if not known:
                continue
            location = data.locate(workspace, place["datastore"], place["path"])
        except (BadValue, FileNotFoundError):  # the datastore or the listing is gone
            return f"{place['datastore']}/{place['path']}"
        found = found_at(location, place)
        for name, size in known.items():
            if found.get(name) != size:
                return f"{place['datastore']}/{place['path']}/{file_names.shown(name)}"
    return None

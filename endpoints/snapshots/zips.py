"""A snapshot as a zip. The bytes are always the same, so that a broken download can be continued;
it is packed once for all the ranges that a client fetches."""

import shutil
import zipfile
from pathlib import Path
from threading import Lock
from typing import IO

from django.conf import settings

from endpoints import snapshots
from endpoints.models import Snapshot

CONTAINER = "snapshots"
CHUNK = 1 << 20
# Fixed, the earliest that a zip can hold: files of a snapshot have no times.
MOMENT = (1980, 1, 1, 0, 0, 0)
MOST_KEPT, MOST_BYTES = 20, 1 << 30  # beyond these the oldest are removed
_packing = Lock()


def packed(snapshot: Snapshot) -> IO[bytes]:
    """The zip, opened; it is cached in this machine's data folder."""
    place = settings.STUDIO_DATA / "packed" / f"{snapshot.content_hash}.zip"
    try:
        return place.open("rb")
    except FileNotFoundError:
        pass
    with _packing:  # or five ranges asked for at once would pack it five times
        if not place.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            _make_room(place.parent)
            partial = place.with_suffix(".partial")
            with partial.open("wb") as target:  # an unfinished one is overwritten
                pack(snapshot, target)
            partial.rename(place)
        return place.open("rb")


def _make_room(folder: Path) -> None:
    """Remove old zips. Whoever has one open can go on reading it."""
    kept = sorted(
        ((found.stat().st_mtime, found.stat().st_size, found) for found in folder.iterdir()),
        reverse=True,
    )
    total = 0
    for count, (_, size, found) in enumerate(kept, start=1):
        total += size
        if count >= MOST_KEPT or total > MOST_BYTES:
            found.unlink(missing_ok=True)


def pack(snapshot: Snapshot, target: IO[bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, held in sorted(snapshot.files.items()):
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100000 | held["mode"]) << 16
            entry.file_size = held["size"]
            with snapshots.read(held["sha256"]) as source, archive.open(entry, "w") as copy:
                shutil.copyfileobj(source, copy, CHUNK)

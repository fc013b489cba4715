"""A snapshot as a zip: packed anew each time, and always to the same bytes, so that what is left of
a broken download can be asked for."""

import shutil
import zipfile
from typing import IO

from endpoints import snapshots
from endpoints.models import Snapshot

CONTAINER = "snapshots"
CHUNK = 1 << 20
# Fixed at the earliest a zip can tell: files of a snapshot have no times.
MOMENT = (1980, 1, 1, 0, 0, 0)


def pack(snapshot: Snapshot, target: IO[bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, held in sorted(snapshot.files.items()):
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100000 | held["mode"]) << 16
            entry.file_size = held["size"]
            with snapshots.read(held["sha256"]) as source, archive.open(entry, "w") as copy:
                shutil.copyfileobj(source, copy, CHUNK)

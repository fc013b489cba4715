"""Working copies of source folders for steps."""

import fcntl
import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from endpoints.models import Snapshot
from endpoints.snapshots.files import CHUNK, place_of, root
from studio.storage.store import Root

FICLONE = 0x40049409  # Linux: two files share blocks until one of them is written


def working_copy(snapshot: Snapshot, target: Path) -> Path:
    """Copy the snapshot's files to `target`, for a step that may rewrite them; hard links would
    carry that into the store. Blocks are shared if the file system can."""
    store = root()
    target.mkdir(parents=True, exist_ok=True)
    folders = {str(PurePosixPath(name).parent) for name in snapshot.files} - {"."}
    for folder in sorted(folders):
        (target / folder).mkdir(parents=True, exist_ok=True)
    for name, entry in snapshot.files.items():
        _copy_out(store, entry, f"{target}/{name}")
    return target


# Whether the file system has refused to share blocks; asking again for each file costs more than
# copying it.
_no_sharing: set[int] = set()


def _copy_out(store: Root, entry: Mapping[str, Any], target: str) -> None:
    place = place_of(entry["sha256"])
    if store.local is None:
        with store.fs.open(store.at(place), "rb") as stored, Path(target).open("wb") as file:
            shutil.copyfileobj(stored, file, CHUNK)
        Path(target).chmod(entry["mode"])
        return
    source = os.open(f"{store.local}/{place}", os.O_RDONLY)
    try:
        copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, entry["mode"])
        try:
            _copy_blocks(source, copy, entry["size"])
        finally:
            os.close(copy)
    finally:
        os.close(source)


def _copy_blocks(source: int, copy: int, size: int) -> None:
    device = os.fstat(copy).st_dev
    if device not in _no_sharing:
        try:
            fcntl.ioctl(copy, FICLONE, source)
        except OSError:
            _no_sharing.add(device)
        else:
            return
    if size <= CHUNK:
        os.write(copy, os.read(source, CHUNK))
        return
    with open(source, "rb", closefd=False) as whole, open(copy, "wb", closefd=False) as out:
        shutil.copyfileobj(whole, out, CHUNK)

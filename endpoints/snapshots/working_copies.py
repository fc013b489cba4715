"""Working copies of source folders for steps."""

from pathlib import Path, PurePosixPath

from endpoints.models import Snapshot
from endpoints.snapshots.files import place_of, store


def working_copy(snapshot: Snapshot, target: Path) -> Path:
    """Copy the snapshot's files to `target`, for a step that may rewrite them; hard links would
    carry that into the store. Blocks are shared if the file system can."""
    kept = store()
    target.mkdir(parents=True, exist_ok=True)
    folders = {str(PurePosixPath(name).parent) for name in snapshot.files} - {"."}
    for folder in sorted(folders):
        (target / folder).mkdir(parents=True, exist_ok=True)
    for name, entry in snapshot.files.items():
        kept.copy_out(place_of(entry["sha256"]), f"{target}/{name}", mode=entry["mode"])
    return target

"""Source folders: files stored by content, the tree of their names, and working copies."""

from endpoints.snapshots.files import SnapshotError, Stored, add_file, read
from endpoints.snapshots.trees import assemble, content_hash, create, store_files
from endpoints.snapshots.working_copies import working_copy

__all__ = [
    "SnapshotError",
    "Stored",
    "add_file",
    "assemble",
    "content_hash",
    "create",
    "read",
    "store_files",
    "working_copy",
]

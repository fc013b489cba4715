"""Source folders as trees of names, from a local folder or from a client's description."""

import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings

from endpoints.models import Snapshot
from endpoints.snapshots import ignore
from endpoints.snapshots.files import SnapshotError, Stored, add_file
from studio.core import file_names
from studio.core.models import Workspace
from studio.storage.paths import PathError, relative_path


def store_files(path: Path) -> dict[str, dict[str, Any]]:
    """Store a folder's files and return its tree, without creating a row."""
    root = path.resolve()
    files: dict[str, dict[str, Any]] = {}
    total = 0
    for file in ignore.files_of(root):
        name = file.relative_to(root).as_posix()
        if file.is_symlink() and not _leads_inside(file, root):
            raise SnapshotError(f"{name} is a link that leads to a folder or out of this one.")
        total += file.stat().st_size
        _check_limits(len(files) + 1, total)
        with file.open("rb") as stream:
            stored = add_file(stream)
        files[name] = _entry(stored, executable=bool(file.stat().st_mode & stat.S_IXUSR))
    return files


def _leads_inside(link: Path, root: Path) -> bool:
    target = link.resolve()
    return target.is_file() and target.is_relative_to(root)


def _entry(stored: Stored, *, executable: bool = False) -> dict[str, Any]:
    return {"sha256": stored.sha256, "size": stored.size, "mode": 0o755 if executable else 0o644}


def _check_limits(count: int, total: int) -> None:
    if count > settings.STUDIO_SNAPSHOT_MAX_FILES:
        raise SnapshotError(f"The folder has more than {settings.STUDIO_SNAPSHOT_MAX_FILES} files.")
    if total > settings.STUDIO_SNAPSHOT_MAX_BYTES:
        raise SnapshotError(
            f"The folder holds more than {settings.STUDIO_SNAPSHOT_MAX_BYTES >> 20} MiB."
        )


def create(
    workspace: Workspace,
    files: Mapping[str, dict[str, Any]],
    *,
    uuid: UUID | None = None,
    wire_tree: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
) -> Snapshot:
    """Create the row for files that are already stored; an equal snapshot is reused unless `uuid`
    is given."""
    _check_names(files)
    _check_limits(len(files), sum(entry["size"] for entry in files.values()))
    digest = content_hash(files)
    if uuid is None:
        found = Snapshot.objects.filter(workspace=workspace, content_hash=digest).first()
        if found:
            return found
    return Snapshot.objects.create(
        uuid=uuid or uuid4(),
        workspace=workspace,
        files=dict(files),
        wire_tree=wire_tree,
        tags=tags or {},
        properties=properties or {},
        content_hash=digest,
    )


def content_hash(files: Mapping[str, dict[str, Any]]) -> str:
    tree = sorted((name, entry["sha256"], entry["mode"]) for name, entry in files.items())
    return hashlib.sha256(json.dumps(tree).encode()).hexdigest()


def _check_names(files: Mapping[str, dict[str, Any]]) -> None:
    for name in files:
        if not file_names.is_text(name):
            raise SnapshotError(f"The name {file_names.shown(name)} is not UTF-8.")
        if not _is_relative(name):
            raise SnapshotError(f"{name!r} is not a path inside the folder.")
        for parent in PurePosixPath(name).parents:
            if str(parent) in files:
                raise SnapshotError(f"{parent} is both a file and a folder.")


def _is_relative(name: str) -> bool:
    try:
        return relative_path(name) == name
    except PathError:
        return False


def assemble(
    workspace: Workspace,
    *,
    uuid: UUID,
    tree: Mapping[str, Any],
    uploaded: Mapping[str, Stored],
    parent: Snapshot | None = None,
    tags: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
) -> Snapshot:
    """The snapshot that a client describes (wire.md 8.2): `uploaded` holds new and changed files,
    the rest of `tree` comes from `parent`. What is not in the tree was deleted."""
    before = parent.files if parent else {}
    files = {}
    for name in _leaves(tree):
        if name in uploaded:
            files[name] = _entry(
                uploaded[name], executable=before.get(name, {}).get("mode") == 0o755
            )
        elif name in before:
            files[name] = before[name]
        else:
            raise SnapshotError(f"{name} was neither uploaded nor part of the parent snapshot.")
    return create(
        workspace, files, uuid=uuid, wire_tree=dict(tree), tags=tags, properties=properties
    )


def _leaves(tree: Mapping[str, Any]) -> list[str]:
    """The files of a DirTreeNode, by path. Not recursive, because clients choose the depth."""
    found, waiting = [], [("", tree)]
    while waiting:
        prefix, node = waiting.pop()
        children = node.get("children") if isinstance(node, Mapping) else None
        for name, child in (children or {}).items() if isinstance(children or {}, Mapping) else ():
            path = f"{prefix}{name}"
            is_folder = isinstance(child, Mapping) and (
                str(child.get("type")).lower() == "directory" or child.get("children")
            )
            if is_folder:
                waiting.append((f"{path}/", child))
            else:
                if ignore.is_left_behind(path):
                    continue
                found.append(path)
                _check_limits(len(found), 0)
    return sorted(found)

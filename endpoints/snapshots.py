"""Source folders: files stored by content, the tree of their names, and working copies."""

import contextlib
import fcntl
import hashlib
import io
import json
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError

from endpoints import ignore
from endpoints.models import Snapshot
from studio.core import file_names
from studio.core.errors import NotFound
from studio.core.models import Workspace
from studio.storage.roots import Readable, Root, open_root

CHUNK = 1 << 20
FICLONE = 0x40049409  # Linux: two files share blocks until one of them is written


class SnapshotError(ValidationError):
    """The folder or tree cannot become a snapshot; the message names the file."""


@dataclass(frozen=True)
class Stored:
    """The stored content of a file."""

    sha256: str
    size: int


def _root() -> Root:
    return open_root(f"{settings.STUDIO_STORAGE_URL.rstrip('/')}/snapshots")


def _place(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def add_file(stream: Readable, *, limit: int | None = None) -> Stored:
    """Store a content; equal contents are stored once. Readers never see a partial file."""
    limit = settings.STUDIO_SNAPSHOT_MAX_BYTES if limit is None else limit
    root, digest, size = _root(), hashlib.sha256(), 0
    name = f"incoming/{uuid4().hex}"
    try:
        with _create(root, name) as target:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > limit:
                    raise SnapshotError(f"A file is larger than {limit} bytes.")
                digest.update(chunk)
                target.write(chunk)
            if root.local:
                target.flush()
                os.fsync(target.fileno())
        stored = Stored(digest.hexdigest(), size)
        _move(root, name, _place(stored.sha256))
    except BaseException:
        _remove(root, name)
        raise
    return stored


def add_bytes(content: bytes) -> Stored:
    return add_file(io.BytesIO(content))


def _create(root: Root, name: str) -> IO[bytes]:
    if root.local:
        path = root.local / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")
    root.fs.makedirs(root.at("incoming"), exist_ok=True)
    file: IO[bytes] = root.fs.open(root.at(name), "wb")
    return file


def _move(root: Root, name: str, place: str) -> None:
    if root.local:
        target = root.local / place
        target.parent.mkdir(parents=True, exist_ok=True)
        (root.local / name).replace(target)
    elif root.fs.exists(root.at(place)):
        root.fs.rm(root.at(name))
    else:
        root.fs.makedirs(root.at(place).rpartition("/")[0], exist_ok=True)
        root.fs.mv(root.at(name), root.at(place))


def _remove(root: Root, name: str) -> None:
    with contextlib.suppress(OSError):
        if root.local:
            (root.local / name).unlink(missing_ok=True)
        else:
            root.fs.rm(root.at(name))


def read(sha256: str) -> IO[bytes]:
    """A stored content, opened for reading."""
    root = _root()
    try:
        return (
            (root.local / _place(sha256)).open("rb")
            if root.local
            else root.fs.open(root.at(_place(sha256)), "rb")
        )
    except FileNotFoundError as error:
        raise NotFound(f"The snapshot store has no content {sha256}.") from error


def store_folder(workspace: Workspace, path: Path) -> Snapshot:
    """The snapshot of a folder on this machine. An unchanged folder gets the snapshot it got
    before."""
    return create(workspace, store_files(path))


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
        parts = name.split("/")
        if "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in parts):
            raise SnapshotError(f"{name!r} is not a path inside the folder.")
        if not file_names.is_text(name):
            raise SnapshotError(f"The name {file_names.shown(name)} is not UTF-8.")
        for parent in PurePosixPath(name).parents:
            if str(parent) in files:
                raise SnapshotError(f"{parent} is both a file and a folder.")


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


def working_copy(snapshot: Snapshot, target: Path) -> Path:
    """Copy the snapshot's files to `target`, for a step that may rewrite them; hard links would
    carry that into the store. Blocks are shared if the file system can."""
    root = _root()
    target.mkdir(parents=True, exist_ok=True)
    folders = {str(PurePosixPath(name).parent) for name in snapshot.files} - {"."}
    for folder in sorted(folders):
        (target / folder).mkdir(parents=True, exist_ok=True)
    for name, entry in snapshot.files.items():
        _copy_out(root, entry, f"{target}/{name}")
    return target


# Whether the file system has refused to share blocks; asking again for each file costs more than
# copying it.
_no_sharing: set[int] = set()


def _copy_out(root: Root, entry: Mapping[str, Any], target: str) -> None:
    place = _place(entry["sha256"])
    if root.local is None:
        with root.fs.open(root.at(place), "rb") as stored, Path(target).open("wb") as file:
            shutil.copyfileobj(stored, file, CHUNK)
        Path(target).chmod(entry["mode"])
        return
    source = os.open(f"{root.local}/{place}", os.O_RDONLY)
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

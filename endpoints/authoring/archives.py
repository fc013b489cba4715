"""Unpacks an uploaded zip. All entries are checked before the first one is written."""

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from django.conf import settings
from django.core.exceptions import ValidationError

from endpoints.snapshots.ignore import is_left_behind

CHUNK = 1 << 20
# A small text of one repeated line compresses further than any limit on the ratio would allow.
RATIO_COUNTS_FROM_BYTES = 1 << 20
LONGEST_NAME = 255  # bytes; what file systems allow between two slashes
LONGEST_PATH = 2048  # bytes; of 4096, some are needed for the folder it is unpacked into
# Raised by zipfile and its decompressors for a damaged file, besides BadZipFile.
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError)


class ArchiveError(ValidationError):
    """The archive was refused; the message names the entry."""


def extract(source: Path | IO[bytes], target: Path) -> None:
    """Unpack the zip `source` into the folder `target`, which must be empty or absent."""
    try:
        with zipfile.ZipFile(source) as archive:
            members = _judge(archive)
            target.mkdir(parents=True, exist_ok=True)
            for name, member in members.items():
                _write(archive, member, target / name)
    except DAMAGE as error:
        raise ArchiveError(f"This is not a zip file, or it is damaged: {error}.") from error
    except (
        NotImplementedError,
        RuntimeError,
    ) as error:  # a compression or encryption that zipfile does not support
        raise ArchiveError(f"This zip cannot be read: {error}.") from error


def _judge(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files to write, by relative path."""
    entries = [entry for entry in archive.infolist() if not is_left_behind(_name(entry))]
    most = settings.STUDIO_SNAPSHOT_MAX_FILES
    if sum(not _is_folder(entry) for entry in entries) > most or len(entries) > 2 * most:
        raise ArchiveError(f"The zip has more than {most} files.")
    files: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = _safe_name(entry)
        if _is_folder(entry):
            continue
        if name in files:
            raise ArchiveError(f"The zip has two entries {name}.")
        files[name] = entry
    _judge_tree(files)
    _judge_sizes(files)
    return files


def _name(entry: zipfile.ZipInfo) -> str:
    """The entry's name with forward slashes: Windows PowerShell 5 writes backslashes, against the
    format. `filename` is already cut at a zero byte."""
    return entry.orig_filename.replace("\\", "/")


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return _name(entry).endswith("/")


def _safe_name(entry: zipfile.ZipInfo) -> str:
    name = _name(entry)
    parts = PurePosixPath(name).parts
    if not parts or "\0" in name or ":" in parts[0] or name.startswith("/"):
        raise ArchiveError(f"The zip has an entry with an absolute or unusable path: {name!r}.")
    if ".." in parts:
        raise ArchiveError(f"The zip has an entry that leaves its folder: {name!r}.")
    sizes = [len(part.encode(errors="replace")) for part in parts]
    if max(sizes) > LONGEST_NAME or sum(sizes) + len(sizes) > LONGEST_PATH:
        raise ArchiveError(
            f"The zip has an entry with a name of more than {LONGEST_NAME} bytes or a path of more "
            f"than {LONGEST_PATH}: {name[:80]!r}…"
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "symbolic link" if kind == stat.S_IFLNK else "special file"
        raise ArchiveError(f"The zip has a {what}: {name!r}.")
    if entry.flag_bits & 0x1:
        raise ArchiveError(f"The zip has an encrypted entry: {name!r}.")
    return str(PurePosixPath(*parts))


def _judge_tree(files: dict[str, zipfile.ZipInfo]) -> None:
    for name in files:
        for parent in PurePosixPath(name).parents:
            if str(parent) in files:
                raise ArchiveError(f"The zip has {parent} both as a file and as a folder.")


def _judge_sizes(files: dict[str, zipfile.ZipInfo]) -> None:
    total = sum(entry.file_size for entry in files.values())
    if total > settings.STUDIO_SNAPSHOT_MAX_BYTES:
        limit = settings.STUDIO_SNAPSHOT_MAX_BYTES >> 20
        raise ArchiveError(f"The zip unpacks to more than {limit} MiB.")
    packed = sum(entry.compress_size for entry in files.values())
    if total > RATIO_COUNTS_FROM_BYTES and total > settings.STUDIO_ARCHIVE_MAX_RATIO * max(
        packed, 1
    ):
        raise ArchiveError(
            f"The zip expands more than {settings.STUDIO_ARCHIVE_MAX_RATIO} times; it was not unpacked."
        )


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """Write one file. Limits count what is really read, not the size that the zip states."""
    target.parent.mkdir(parents=True, exist_ok=True)
    left = entry.file_size
    with archive.open(entry) as packed, target.open("xb") as unpacked:
        for chunk in _chunks(packed, entry.filename):
            left -= len(chunk)
            if left < 0:
                raise ArchiveError(f"The entry {entry.filename} is larger than the zip states.")
            unpacked.write(chunk)
    if (entry.external_attr >> 16) & 0o100:
        target.chmod(0o755)


def _chunks(packed: IO[bytes], name: str) -> Iterator[bytes]:
    try:
        while chunk := packed.read(CHUNK):
            yield chunk
    except (*DAMAGE, OSError) as error:  # bzip2 reports damage as an OSError
        raise ArchiveError(f"The entry {name} is damaged: {error}.") from error

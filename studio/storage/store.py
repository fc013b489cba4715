"""fsspec URLs as roots of files. A local root also has a plain path, which keeps steps fast."""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from stat import S_ISDIR
from typing import Any, Protocol

import fsspec
from django.core.exceptions import ValidationError

from studio.core.errors import BadValue, Conflict, Refused

PARTIAL = re.compile(r"\.[0-9a-f]{32}\.partial")  # a file that is still being written
NO_SUCH_PLACE = (errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
NO_PLACE = (*NO_SUCH_PLACE, errno.EISDIR, errno.EEXIST, errno.EINVAL, errno.EILSEQ)


@contextmanager
def place_for(path: str) -> Iterator[None]:
    """Turns file system errors about a name that callers chose into a refusal."""
    try:
        yield
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise Conflict(f"{path!r} is a folder already, or lies below a file.") from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise BadValue(f"{path[:80]!r}… is too long a path.", target="path") from error


class Readable(Protocol):
    """Content to be stored: a file, or a request body that is read as it arrives."""

    def read(self, size: int = -1, /) -> bytes: ...


class StoreFailed(OSError):
    """A storage could not store something; a retry may succeed."""


class StoreAway(Refused, StoreFailed):
    """A storage is not there, such as a share that is not mounted; what is stored waits for it."""


@contextmanager
def storing(name: str) -> Iterator[None]:
    """Wraps writes to a storage, which each raise their own errors. A name that the storage cannot
    hold is not one of them: a retry would fail again."""
    try:
        yield
    except (Refused, ValidationError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_PLACE:
            raise
        raise StoreFailed(
            getattr(error, "errno", None), f"{name} could not be stored: {error}"
        ) from error


@dataclass(frozen=True)
class State:
    """The state of a file; `version` changes with its content."""

    size: int
    modified: datetime
    version: str

    @classmethod
    def of_local(cls, found: os.stat_result) -> "State":
        modified = datetime.fromtimestamp(found.st_mtime, UTC)
        return cls(found.st_size, modified, f"{found.st_size}-{found.st_mtime_ns}")

    @classmethod
    def of_remote(cls, detail: Mapping[str, Any]) -> "State":
        """From fsspec's details of a file; each store names the time differently."""
        size = int(detail.get("size") or 0)
        known = (detail.get(key) for key in ("LastModified", "last_modified", "mtime", "created"))
        modified = next(filter(None, known), 0)
        if not isinstance(modified, datetime):
            modified = datetime.fromtimestamp(float(modified), UTC)
        tag = detail.get("ETag") or detail.get("etag") or modified.timestamp()
        return cls(size, modified.astimezone(UTC), f"{size}-{tag}")


@dataclass(frozen=True)
class Root:
    """`is_given`: an administrator named this place, so it must exist; our own are created at the
    first write."""

    url: str
    is_given: bool = False

    @cached_property
    def local(self) -> Path | None:
        if self.url.startswith("file://"):
            return Path(self.url.removeprefix("file://"))
        return None if "://" in self.url else Path(self.url)

    @cached_property
    def _opened(self) -> tuple[fsspec.AbstractFileSystem, str]:
        # Other processes write too, so listings are not cached.
        fs, path = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        return fs, path

    @property
    def fs(self) -> fsspec.AbstractFileSystem:
        return self._opened[0]

    @property
    def path(self) -> str:
        return self._opened[1].rstrip("/")

    def at(self, relative: str) -> str:
        """The name of the file `relative` in `fs`."""
        return f"{self.path}/{relative}" if relative else self.path

    def state(self, relative: str) -> State:
        """FileNotFoundError if there is no such file."""
        if self.local is not None:
            try:
                found = (self.local / relative).stat()
            except OSError as error:
                if error.errno not in NO_SUCH_PLACE:
                    raise
                raise FileNotFoundError(relative) from error
            if S_ISDIR(found.st_mode):
                raise FileNotFoundError(relative)
            return State.of_local(found)
        detail = self.fs.info(self.at(relative), refresh=True)
        if detail["type"] == "directory":
            raise FileNotFoundError(relative)
        return State.of_remote(detail)

    def remove(self, relative: str) -> None:
        """Remove a file, or a folder with its contents. Nothing happens if it does not exist."""
        if self.local is None:
            for file in self.fs.find(self.at(relative)):  # `rm` would read names as patterns
                with suppress(FileNotFoundError):
                    self.fs.rm_file(file)
            return
        place = self.local / relative
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            with suppress(FileNotFoundError, NotADirectoryError):
                place.unlink()

    def states(self) -> Iterator[tuple[str, State]]:
        """Every file below this root, which need not exist."""
        if self.local is not None:
            for folder, _, names in os.walk(self.local):
                for name in names:
                    file = Path(folder, name)
                    with suppress(FileNotFoundError):
                        yield file.relative_to(self.local).as_posix(), State.of_local(file.lstat())
            return
        for path, detail in self.fs.find(self.path, detail=True).items():
            yield path[len(self.path) :].lstrip("/"), State.of_remote(detail)

    def below(self, relative: str) -> "Root":
        return open_root(f"{self.url.rstrip('/')}/{relative}")


@lru_cache(maxsize=256)
def open_root(url: str, *, is_given: bool = False) -> Root:
    return Root(url, is_given)

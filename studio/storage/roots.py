"""fsspec URLs as roots of files; a local one is also a plain path, which is what keeps steps fast."""

import errno
import os
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

NO_SUCH_PLACE = (errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
NO_PLACE = (*NO_SUCH_PLACE, errno.EISDIR, errno.EEXIST, errno.EINVAL, errno.EILSEQ)


@contextmanager
def place_for(path: str) -> Iterator[None]:
    """Says of what is written to `path`, which callers choose, why there is no place for it."""
    try:
        yield
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise Conflict(f"{path!r} is a folder already, or lies below a file.") from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise BadValue(f"{path[:80]!r}… is too long a path.", target="path") from error


class Readable(Protocol):
    """What comes in to be kept: a file, or a body that is read as it arrives."""

    def read(self, size: int = -1, /) -> bytes: ...


class StoreFailed(OSError):
    """A storage did not take what was to be kept in it; it may do so a little later."""


@contextmanager
def storing(name: str) -> Iterator[None]:
    """Around a write to a storage, whose errors are of as many kinds as there are storages. A name for
    which there is no place is none of them: it would be refused again."""
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
    """A file as it is now; `version` changes with its content."""

    size: int
    modified: datetime
    version: str

    @classmethod
    def of_local(cls, found: os.stat_result) -> "State":
        modified = datetime.fromtimestamp(found.st_mtime, UTC)
        return cls(found.st_size, modified, f"{found.st_size}-{found.st_mtime_ns}")

    @classmethod
    def of_remote(cls, detail: Mapping[str, Any]) -> "State":
        """From what fsspec tells of a file; each store has its own words for the time."""
        size = int(detail.get("size") or 0)
        known = (detail.get(key) for key in ("LastModified", "last_modified", "mtime", "created"))
        modified = next(filter(None, known), 0)
        if not isinstance(modified, datetime):
            modified = datetime.fromtimestamp(float(modified), UTC)
        tag = detail.get("ETag") or detail.get("etag") or modified.timestamp()
        return cls(size, modified.astimezone(UTC), f"{size}-{tag}")


@dataclass(frozen=True)
class Root:
    """`is_given`: somebody named a place that is there; those of our own are made when first written."""

    url: str
    is_given: bool = False

    @cached_property
    def local(self) -> Path | None:
        if self.url.startswith("file://"):
            return Path(self.url.removeprefix("file://"))
        return None if "://" in self.url else Path(self.url)

    @cached_property
    def _opened(self) -> tuple[fsspec.AbstractFileSystem, str]:
        # Other processes write too: a cached listing would hide what they wrote.
        fs, path = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        return fs, path

    @property
    def fs(self) -> fsspec.AbstractFileSystem:
        return self._opened[0]

    @property
    def path(self) -> str:
        return self._opened[1].rstrip("/")

    def at(self, relative: str) -> str:
        """What `fs` calls the file `relative`."""
        return f"{self.path}/{relative}" if relative else self.path

    def state(self, relative: str) -> State:
        """FileNotFoundError where there is no file of this name."""
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
        """A file, or a folder with all that is below it; nothing where there is none."""
        if self.local is None:
            for file in self.fs.find(self.at(relative)):  # `rm` reads names as patterns
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

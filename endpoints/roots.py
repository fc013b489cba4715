"""fsspec URLs as roots of files; a local one is also a plain path, which is what keeps steps fast."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import fsspec


@dataclass(frozen=True)
class Root:
    url: str

    @cached_property
    def local(self) -> Path | None:
        if self.url.startswith("file://"):
            return Path(self.url.removeprefix("file://"))
        return None if "://" in self.url else Path(self.url)

    @cached_property
    def _opened(self) -> tuple[fsspec.AbstractFileSystem, str]:
        # Other processes write too: a cached listing would hide what they wrote.
        return fsspec.core.url_to_fs(self.url, use_listings_cache=False)

    @property
    def fs(self) -> fsspec.AbstractFileSystem:
        return self._opened[0]

    @property
    def path(self) -> str:
        return self._opened[1].rstrip("/")

    def at(self, relative: str) -> str:
        """What `fs` calls the file `relative`."""
        return f"{self.path}/{relative}" if relative else self.path

    def below(self, relative: str) -> "Root":
        return open_root(f"{self.url.rstrip('/')}/{relative}")


@lru_cache(maxsize=256)
def open_root(url: str) -> Root:
    return Root(url)

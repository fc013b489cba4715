"""Files that clients have sent and not yet claimed: source files before their snapshot is posted,
blocks before their list. They lie under names of ours, beside what they will become."""

import shutil
from pathlib import PurePosixPath
from typing import IO

from django.conf import settings

from endpoints.roots import Root, open_root
from studio.core.errors import NotFound

CONTAINER = "uploads"
CHUNK = 1 << 20


def _root() -> Root:
    return open_root(f"{settings.STUDIO_STORAGE_URL.rstrip('/')}/{CONTAINER}")


def _checked(name: str) -> str:
    if ".." in PurePosixPath(name).parts or name.startswith("/") or "\\" in name:
        raise NotFound(f"There is no upload {name!r}.")
    return name


def write(name: str, body: IO[bytes]) -> int:
    root = _root()
    path = root.at(_checked(name))
    root.fs.makedirs(path.rpartition("/")[0], exist_ok=True)
    try:
        with root.fs.open(path, "wb") as target:
            shutil.copyfileobj(body, target, CHUNK)
    except BaseException:
        remove(name)  # half of a file is worse than none
        raise
    return root.fs.size(path)


def size(name: str) -> int:
    root = _root()
    try:
        return root.fs.size(root.at(_checked(name)))
    except FileNotFoundError:
        raise NotFound(f"There is no upload {name!r}.") from None


def read(name: str) -> IO[bytes]:
    root = _root()
    try:
        return root.fs.open(root.at(_checked(name)), "rb")
    except FileNotFoundError:
        raise NotFound(f"There is no upload {name!r}; send it again.") from None


def remove(name: str) -> None:
    root = _root()
    path = root.at(_checked(name))
    if root.fs.exists(path):
        root.fs.rm(path)

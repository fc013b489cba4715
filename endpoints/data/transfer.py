"""Moves data into and out of a step's working folder: links, copies, downloads, uploads."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar

from django.utils import timezone

from endpoints.data.places import (
    Entry,
    Location,
    Place,
    WebFile,
    fixed_part,
    matches,
)
from endpoints.data.web import download
from studio.core.errors import NotFound
from studio.storage.failures import storing
from studio.storage.paths import PathError

OLD = timedelta(hours=1)  # a file that is still being written is younger

T = TypeVar("T")


def materialise(places: Sequence[Place], target: Path, *, mode: str = "mount") -> Path:
    """Put data where the step can open it; returns the path for the step.

    A single folder becomes `target` itself, a single file a file in it; several files or a pattern
    become a folder of files. With `mount`, local files are linked; everything else is copied.
    """
    if len(places) == 1 and isinstance(places[0], Location) and places[0].is_folder():
        return _place_folder(places[0], target, mode)
    files = _named(places)
    if not files:
        raise NotFound(f"There is nothing at {', '.join(map(str, places))}.")
    target.mkdir(parents=True, exist_ok=True)
    for name, place in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        _place_file(place, target / name, mode)
    single = len(places) == 1 and not (isinstance(places[0], Location) and places[0].is_pattern)
    return target / next(iter(files)) if single else target


def _named(places: Sequence[Place]) -> dict[str, Place]:
    """Each file with its name for the step: relative to the pattern's folder, else its own name."""
    named: dict[str, Place] = {}
    for place in places:
        for name, file in _files(place):
            if name in named:
                name = f"{len(named)}/{name}"  # noqa: PLW2901 - two sources with equal names
            named[name] = file
    return named


def _files(place: Place) -> list[tuple[str, Place]]:
    if isinstance(place, WebFile):
        return [(place.name, place)]
    if place.is_folder():
        return [
            (_below(entry.path, place.path), place.found(entry.path)) for entry in place.files()
        ]
    if place.exists():
        return [(place.name, place)]
    if not place.is_pattern:
        raise NotFound(f"There is nothing at {place}.")
    base = fixed_part(place.path)
    return [(_below(found.path, base), found) for found in place.matching()]


def _below(path: str, base: str) -> str:
    return path[len(base) :].lstrip("/") if base else path


def _place_folder(folder: Location, target: Path, mode: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    if mode == "mount" and folder.local is not None:
        if target.is_dir() and not target.is_symlink():
            target.rmdir()
        target.symlink_to(folder.local, target_is_directory=True)
        return target
    target.mkdir(parents=True, exist_ok=True)
    for entry in folder.files():
        copy = target / _below(entry.path, folder.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        _place_file(folder.found(entry.path), copy, "download")
    return target


def _place_file(place: Place, target: Path, mode: str) -> None:
    if isinstance(place, WebFile):
        download(place.url, target)
    elif mode == "mount" and place.local is not None:
        target.symlink_to(place.local)
    else:
        place.store.copy_out(place.path, target)


def inventory(path: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file of an input, to find out later whether the step changed it."""
    if not path.is_dir():
        found = path.stat()
        return {path.name: (found.st_size, found.st_mtime_ns)}
    sizes = {}
    for folder, _, names in os.walk(path):
        for name in names:
            found = Path(folder, name).stat()
            relative = Path(folder, name).relative_to(path).as_posix()
            sizes[relative] = (found.st_size, found.st_mtime_ns)
    return sizes


def changed(before: dict[str, tuple[int, int]], path: Path) -> str | None:
    """The first file that was changed, added or removed since `before`; None if there is none."""
    try:
        after = inventory(path)
    except FileNotFoundError:
        return path.name
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            return name
    return None


class Retry(Protocol):
    """Calls a function, again if needed."""

    def __call__(self, act: Callable[[], T], /) -> T: ...


def _at_once(act: Callable[[], T]) -> T:
    return act()


@dataclass(frozen=True)
class Taken:
    """What was stored of an output, and files with names that the store cannot hold."""

    files: list[Entry] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def upload_tree(
    source: Path,
    target: Location,
    *,
    only: Sequence[str] = (),
    mounted: Iterable[Path] = (),
    retry: Retry = _at_once,
    destination: Location | None = None,
    on_found: Callable[[list[Entry]], object] = lambda files: None,
) -> Taken:
    """Store a step's output (a folder or a file) in a datastore.

    `only`: patterns of the files to take; empty for all. `mounted`: inputs that are links. `cp -r`
    copies their links, which are stored as the files they lead to. `retry` calls the function that
    stores a file, repeatedly if needed. `destination`: where the files will be moved later, which
    must be able to hold their names. `on_found` is called with all files before the first is
    stored.
    """
    if source.is_file():
        on_found([_expected(source, target)])
        return Taken([retry(partial(_store, source, target))])
    top = source.resolve()
    originals = [original for path in mounted for original in _originals(path)]
    taken = Taken()
    found: list[tuple[Path, Location]] = []
    for relative, file in _files_of(top, [top, *originals]):
        if only and not matches(relative, only):
            continue
        if file is None:
            raise PathError(f"The output {relative} is a link that leads out of its folder.")
        if not file.is_file():
            # Opening a pipe that nobody writes to would block forever.
            raise PathError(
                f"The output {relative} is no plain file but a pipe, or a link to nothing or in circles."
            )
        place = target.found(f"{target.path}/{relative}")
        moved = destination and destination.found(f"{destination.path}/{relative}")
        if place.has_usable_name and (moved is None or moved.has_usable_name):
            found.append((file, place))
        else:
            taken.left_out.append(relative)
    if found:
        on_found([_expected(file, place) for file, place in found])
    taken.files.extend(retry(partial(_store, file, place)) for file, place in found)
    return taken


def _expected(file: Path, place: Location) -> Entry:
    return Entry(place.path, file.stat().st_size)


def _store(file: Path, place: Location) -> Entry:
    with file.open("rb") as stream, storing(str(place)):
        return Entry(place.path, place.write(stream))


def move_tree(source: Location, target: Location, *, retry: Retry = _at_once) -> int:
    """Move a folder or file within its datastore; returns the number of files found. Files of the
    same names are replaced, others stay. It is safe to repeat after an interruption, and to run
    several times at once: what is no longer at `source` has been moved."""
    found = retry(partial(_listed, source))
    for entry in found:
        moved = target.found((target.path + entry.path.removeprefix(source.path)).lstrip("/"))
        retry(partial(_move, source.found(entry.path), moved))
    return len(found)


def _listed(place: Location) -> list[Entry]:
    with storing(str(place)):
        return list(place.files()) if place.exists() else []  # refuses where a share is away


def _move(file: Location, target: Location) -> None:
    with storing(str(target)):
        try:
            file.move_to(target)
        except FileNotFoundError:
            if file.exists():
                raise


def remove_files(place: Location, known: Mapping[str, int], *, up_to: str) -> None:
    """Remove the files of an output that have these names and sizes, abandoned partial files, and
    folders that are then empty (see `remove_empty_folders`). Other files belong to somebody
    else."""
    is_folder = place.is_folder()
    for name, size in known.items() if place.exists() else ():  # refuses where a share is away
        file = place.found(f"{place.path}/{name}") if is_folder else place
        with suppress(FileNotFoundError):
            if file.state().size == size and file.name == PurePosixPath(name).name:
                file.remove()
    top = _top(place, up_to)  # an output of one file has its partial one beside it
    place.store.remove_partials(top, before=timezone.now() - OLD)
    place.store.remove_empty_folders(top)


def remove_empty_folders(place: Location, *, up_to: str) -> None:
    """Remove empty folders at and below a place, and at and below the one above it whose name
    contains `up_to`."""
    place.store.remove_empty_folders(_top(place, up_to))


def _top(place: Location, up_to: str) -> str:
    above = [str(path) for path in PurePosixPath(place.path).parents if up_to in str(path)]
    return above[-1] if above else place.path


def _originals(path: Path) -> list[Path]:
    """The stored files that links of a mounted input lead to."""
    links = [path] if path.is_symlink() else [file for file in path.rglob("*") if file.is_symlink()]
    return [link.resolve() for link in links]


def _files_of(
    top: Path, within: Sequence[Path], *, behind_link: bool = False
) -> Iterator[tuple[str, Path | None]]:
    """All files below a folder: relative path and real location, which is None for links that lead
    out of the folders `within`. A link to a folder stands for its files, but links behind it are
    not followed, because they may form circles."""
    for folder, folders, names in os.walk(top):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted(names + links):
            file = Path(folder, name)
            relative = file.relative_to(top).as_posix()
            leads_to = Path(os.path.realpath(file))  # Path.resolve() raises for circular links
            if not any(leads_to.is_relative_to(place) for place in within):
                yield relative, None
            elif name in links and not behind_link:
                for below, found in _files_of(leads_to, within, behind_link=True):
                    yield f"{relative}/{below}", found
            else:
                yield relative, leads_to

"""Finds Python interpreters where installers put them on this machine, and runs each one before using it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

# Folders in which installers put interpreters; `~` is HOME.
PLACES = (
    "~/.pyenv/versions/*/bin",
    "~/.local/share/uv/python/*/bin",
    "~/.local/bin",
    *(
        f"{root}/{place}"
        for root in (
            *("~/miniconda3", "~/anaconda3", "~/miniforge3", "~/mambaforge", "~/micromamba"),
            *("/opt/conda", "/opt/miniconda3", "/opt/anaconda3", "/opt/miniforge3"),
        )
        for place in ("bin", "envs/*/bin")
    ),
    *("~/.conda/envs/*/bin", "~/.asdf/installs/python/*/bin"),
    "~/.local/share/mise/installs/python/*/bin",
    *("/usr/bin", "/usr/local/bin", "/opt/python/*/bin", "/opt/homebrew/bin"),
    "/Library/Frameworks/Python.framework/Versions/*/bin",
)
NAME = re.compile(r"python(3(\.\d+)?)?")
OLDEST = (3, 6)  # the oldest version for which a virtual environment can be made
ASK = (
    "import json, platform, sys;"
    "print(json.dumps([platform.python_implementation(), list(sys.version_info[:3])]))"
)
TRY_SECONDS = 10

Version = tuple[int, ...]


def choose_python(wanted: str | None) -> tuple[Path, tuple[str, ...]]:
    """The interpreter for a version or range, or else the studio's own, with a warning. Any patch release
    of the same minor version will do: v1's default names one that few machines have."""
    own = Path(sys.executable).resolve()
    if wanted is None or _meets(wanted, sys.version_info[:3]):
        return own, ()
    found = _found(wanted)
    if found:
        return found, ()
    version = ".".join(map(str, sys.version_info[:3]))
    return own, (
        f"Python {wanted} is not on this machine; the step runs on the studio's Python {version}.",
    )


@cache
def _found(wanted: str) -> Path | None:
    """`find`, cached because it runs each candidate."""
    return find(wanted, os.environ)


def find(wanted: str, environ: Mapping[str, str]) -> Path | None:
    """The best Python for a version or range: exactly that patch release if it exists, else the newest one
    that matches. `environ` says where to look."""
    best: tuple[bool, Version, Path] | None = None
    tried = set()
    for path in _candidates(wanted, environ):
        if path in tried:
            continue
        tried.add(path)
        version = _version(path)
        if version is None or version < OLDEST or not _meets(wanted, version):
            continue
        rank = (".".join(map(str, version)) == wanted, version)
        if best is None or rank > best[:2]:
            best = (*rank, path)
    return best[2] if best else None


def _meets(wanted: str, version: Version) -> bool:
    if wanted[0].isdigit():
        numbers = wanted.split(".")[:2]
        return numbers == [str(part) for part in version[: len(numbers)]]
    try:
        return SpecifierSet(wanted).contains(".".join(map(str, version)))
    except InvalidSpecifier:
        return False


def _candidates(wanted: str, environ: Mapping[str, str]) -> Iterator[Path]:
    minor = ".".join(wanted.split(".")[:2]) if wanted[0].isdigit() else ""
    for folder in _folders(environ):
        names = sorted(name for name in _names(folder) if NAME.fullmatch(name))
        versioned = [name for name in names if "." in name]
        for name in versioned or names:
            if minor and "." in name and name != f"python{minor}":
                continue
            try:
                yield (folder / name).resolve(strict=True)
            except (OSError, RuntimeError):  # a broken link, or a loop of links
                continue


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:
        return []


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environ.get("HOME") or Path.home())
    for text in environ.get("PATH", os.defpath).split(os.pathsep):
        # Skip the shims of pyenv and asdf: they start whichever Python is configured for a folder.
        if text and Path(text).is_absolute() and Path(text).name != "shims":
            yield Path(text)
    roots = {
        "PYENV_ROOT": ("versions/*/bin",),
        "UV_PYTHON_INSTALL_DIR": ("*/bin",),
        "XDG_DATA_HOME": ("uv/python/*/bin",),
        "CONDA_PREFIX": ("bin", "envs/*/bin"),
        "MAMBA_ROOT_PREFIX": ("bin", "envs/*/bin"),
        "ASDF_DATA_DIR": ("installs/python/*/bin",),
    }
    for name, patterns in roots.items():
        if environ.get(name):
            for pattern in patterns:
                yield from _below(Path(environ[name]), pattern)
    for place in PLACES:
        if place.startswith("~/"):
            yield from _below(home, place[2:])
        else:
            yield from _below(Path("/"), place[1:])
    try:  # conda's list of its environments
        lines = (home / ".conda" / "environments.txt").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        if line.strip():
            yield Path(line.strip()) / "bin"


def _below(root: Path, pattern: str) -> Iterator[Path]:
    yield from sorted(root.glob(pattern))


def _version(path: Path) -> Version | None:
    """The version of an interpreter; None if it is no CPython, or does not run."""
    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", ASK],
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=TRY_SECONDS,
        )
        name, version = json.loads(done.stdout)
        return tuple(map(int, version)) if name == "CPython" else None
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return None

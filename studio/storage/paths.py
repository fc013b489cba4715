"""The one rule for relative paths."""

from pathlib import PurePosixPath

from django.core.exceptions import ValidationError

from studio.core import file_names

LONGEST_PATH = 1000  # characters, the length of our columns
LONGEST_NAME = 255  # bytes between two slashes, the limit of file systems
CONTROL = frozenset(map(chr, [*range(32), 127]))  # characters that no address may contain


class PathError(ValidationError):
    """A path that leads out of its folder, or that no file can have."""


def relative_path(path: object, *, backslash: bool = False) -> str:
    """The path normalised, without `.` and extra slashes; PathError if it is not a relative path below its
    folder. Allow `backslash` only for names that steps gave their files."""
    text = path if isinstance(path, str) else ""
    parts = PurePosixPath(text).parts
    strays = not parts or text.startswith("/") or ".." in parts
    if (
        strays
        or "\0" in text
        or ("\\" in text and not backslash)
        or len(text) > LONGEST_PATH
        or not file_names.is_text(text)
        or any(len(part.encode()) > LONGEST_NAME for part in parts)
    ):
        raise _refused(path)
    return "/".join(parts)


def sent_path(path: str) -> str:
    """`relative_path` of a path that a client chose: Windows backslashes become slashes, control
    characters are refused."""
    if not CONTROL.isdisjoint(path):
        raise _refused(path)
    return relative_path(path.replace("\\", "/"))


def _refused(path: object) -> PathError:
    shown = file_names.shown(str(path))
    return PathError({"path": f"{shown!r} is no relative path of a file."})

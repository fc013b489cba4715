"""Which files of a source folder are left out of its snapshot: .amlignore, else .gitignore.

The rules are git's: the last matching pattern decides, `!` takes files back, and nothing inside an
ignored folder can be taken back.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.storage import globs

# v1's client leaves these out too. A working copy gets its own outputs and logs.
ALWAYS = {".git", ".azureml", "__pycache__", ".ipynb_checkpoints", ".studio", ".venv"}
# Files that file managers create anywhere; nobody wants them in a snapshot.
LEFT_BEHIND = {"__MACOSX", ".DS_Store", "Thumbs.db"}


@dataclass(frozen=True)
class Rule:
    pattern: re.Pattern[str]
    is_taken_back: bool
    folders_only: bool


def rules_of(folder: Path) -> list[Rule]:
    for name in (".amlignore", ".gitignore"):
        if (folder / name).is_file():
            lines = (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
            return [rule for line in lines if (rule := _rule(line))]
    return []


def files_of(folder: Path) -> Iterator[Path]:
    """Every file that is not ignored, in a stable order. Symbolic links are yielded and not
    followed."""
    rules = rules_of(folder)
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        kept = []
        for name in sorted(folders):
            if (here / name).is_symlink():
                files.append(name)
            elif not _is_ignored(rules, (here / name).relative_to(folder).as_posix(), folder=True):
                kept.append(name)
        folders[:] = kept
        for name in sorted(files):
            if not _is_ignored(rules, (here / name).relative_to(folder).as_posix(), folder=False):
                yield here / name


def is_left_behind(path: str) -> bool:
    return not LEFT_BEHIND.isdisjoint(path.split("/"))


def _is_ignored(rules: list[Rule], path: str, *, folder: bool) -> bool:
    if is_left_behind(path) or (folder and path.rpartition("/")[2] in ALWAYS):
        return True
    for rule in reversed(rules):
        if (folder or not rule.folders_only) and rule.pattern.match(path):
            return not rule.is_taken_back
    return False


def _rule(line: str) -> Rule | None:
    line = line.rstrip()
    if not line or line.startswith("#"):
        return None
    taken_back = line.startswith("!")
    body = line[1:] if taken_back else line.removeprefix("\\")
    folders_only = body.endswith("/")
    body = body.rstrip("/")
    if not body:
        return None
    # Only `**` between slashes crosses folders; a name without a slash matches in any folder.
    names = [
        re.sub(r"\*+", "**" if len(name) > 1 and not name.strip("*") else "*", name)
        for name in body.split("/")
    ]
    glob = "/".join(names).removeprefix("/") if len(names) > 1 else f"**/{names[0]}"
    try:
        pattern = globs.compiled(glob, sets=True)
    except re.error:  # an unfinished [class]: in git it matches nothing
        return None
    return Rule(pattern, taken_back, folders_only)

"""Which files of a source folder stay out of its snapshot: .amlignore, else .gitignore.

The rules are git's: the last pattern that matches decides, `!` takes back, and nothing below an
ignored folder can be taken back.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What v1's client leaves out as well; a working copy makes outputs and logs anew.
ALWAYS = (".git/", ".azureml/", "__pycache__/", ".ipynb_checkpoints/", ".studio/", ".venv/")


@dataclass(frozen=True)
class Rule:
    pattern: re.Pattern
    is_taken_back: bool
    folders_only: bool


def rules_of(folder: Path) -> list[Rule]:
    lines = list(ALWAYS)
    for name in (".amlignore", ".gitignore"):
        if (folder / name).is_file():
            lines += (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
            break
    return [rule for line in lines if (rule := _rule(line))]


def files_of(folder: Path) -> Iterator[Path]:
    """Every file that is not ignored, in a stable order; symbolic links are yielded, not followed."""
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


def _is_ignored(rules: list[Rule], path: str, *, folder: bool) -> bool:
    for rule in reversed(rules):
        if (folder or not rule.folders_only) and rule.pattern.fullmatch(path):
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
    anchored = "/" in body
    expression = _expression(body.lstrip("/"))
    try:
        pattern = re.compile(expression if anchored else f"(?:.*/)?{expression}", re.DOTALL)
    except re.error:  # an unfinished [class]: git takes such a pattern for no match
        return None
    return Rule(pattern, taken_back, folders_only)


def _expression(glob: str) -> str:
    parts = re.split(r"(\*\*/|/\*\*$|\*|\?|\[[!^]?\]?[^\]]*\])", glob)
    known = {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
    out = []
    for part in parts:
        if part in known:
            out.append(known[part])
        elif part.startswith("[") and part.endswith("]"):
            out.append("[^" + part[2:] if part[1] in "!^" else part)
        else:
            out.append(re.escape(part))
    return "".join(out)

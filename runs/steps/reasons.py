"""Finds in a program's output why it failed."""

import re
from collections.abc import Sequence
from itertools import takewhile

from studio.core.log_markup import plain

# `before` may be an unfinished progress bar, the rank of a process, or the frame of a box.
_STACK = re.compile(
    r"^(?P<before>.*?)(?P<group>\+ Exception Group )?Traceback \(most recent call last\)"
)
_IN_GROUP = re.compile(r"^\s*\|")  # a line of an exception inside an exception group
_BOX = ("│", "╰", "╭")
_TROUBLE = re.compile(r"\berror\b", re.I)
MOST_LINES = 20


def last_words(text: str) -> str:
    """The line that says why a script failed: its last exception, or else its last line."""
    lines = [_shown(line) for line in plain(text).split("\n")]
    line = exception_line(lines)
    return line or next((line.strip() for line in reversed(lines) if line.strip()), "")


def _shown(line: str) -> str:
    """The part of an overwritten line that a terminal would still show."""
    return line.rstrip("\r").rpartition("\r")[2].rstrip()


def exception_line(lines: Sequence[str]) -> str:
    """The first line of the last exception, which follows its traceback; "" without a traceback."""
    for at in range(len(lines) - 1, -1, -1):
        found = _STACK.match(lines[at])
        if not found or _IN_GROUP.match(lines[at]):
            continue
        before = found["before"] + ("| " if found["group"] else "")
        below = (line.removeprefix(before) for line in lines[at + 1 :])
        said = [line for line in below if line and not line.startswith((" ", "\t", *_BOX))]
        if said:
            return first_line("\n".join(said))
    return ""


def first_line(text: str) -> str:
    """The first line of an exception. If the message begins on the next line, joined with that line."""
    first, *others = [line for line in plain(text).splitlines() if line.strip()] or [""]
    if re.fullmatch(r"[\w.]+:\s*", first) and others:
        return f"{first.strip()} {others[0].strip()}"
    return first.strip()


def _exception(lines: Sequence[str]) -> list[str]:
    """The last exception, with the first lines of its message."""
    line = exception_line(lines)
    at = next((at for at, each in enumerate(lines) if line and each.startswith(line)), len(lines))
    return [line, *lines[at + 1 : at + 6]]


def build_failure(lines: Sequence[str]) -> str:
    """uv's output about a failed build, with the reason first: the last error and its causes, then errors
    in the output of the package's own build, then hints."""
    starts = [at for at, line in enumerate(lines) if line.startswith("error: ")]
    if not starts:
        return "\n".join(lines[-MOST_LINES:])
    said = lines[starts[-1] :]
    head = list(takewhile(str.strip, said))
    hint = next((at for at, line in enumerate(said) if line.startswith("hint: ")), len(said))
    output = [line.strip() if line.isspace() else line for line in said[len(head) : hint]]
    margin = min((len(line) - len(line.lstrip()) for line in output if line.strip()), default=0)
    output = [line[margin:] for line in output]
    causes = [re.sub(r"^(error|cause): ", "", line.strip()) for line in head]
    wrong = [*_exception(output), *(line for line in output if _TROUBLE.search(line))]
    wrong = list(dict.fromkeys(filter(None, map(str.strip, wrong))))
    reason = f"{causes[0]}: {(wrong or causes[1:] or [''])[0]}".removesuffix(": ")
    rest = [*causes[1:], *wrong, *filter(str.strip, said[hint:])]
    return "\n".join([reason, *(line for line in rest if line not in reason)][:MOST_LINES])

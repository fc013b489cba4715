"""Parts of a log with line numbers, which links lead to."""

from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from runs.views.log_files import Log
from studio.core import log_markup

SHOWN = 1000  # lines on a page when it opens
TAIL_BYTES = 128 * 1024
CHUNK_BYTES = 256 * 1024
MOST_KEPT = 64 * 1024  # bytes of an unfinished line that are sent again at each poll
TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Piece:
    """Decoded text of a log. `line` is the number of the first line that begins in it; `is_open`:
    it begins inside a line. `end`: the byte after it. `kept`: how many of its last bytes belong to
    an unfinished line that is already shown and may be overwritten; the next piece begins with
    them."""

    text: str
    start: int
    end: int
    line: int
    is_open: bool = False
    kept: int = 0

    @property
    def count(self) -> int:
        """How many lines begin in it."""
        rows = self.text.split("\n")
        return len(rows) - self.is_open - (rows[-1] == "" and len(rows) > self.is_open)

    @property
    def next_line(self) -> int:
        return self.line + self.count - bool(self.kept)

    @property
    def next_start(self) -> int:
        return self.end - self.kept

    @property
    def next_is_open(self) -> bool:
        if self.kept:
            return False
        return not self.text.endswith("\n") if self.text else self.is_open


def piece_from(log: Log, *, start: int, line: int, is_open: bool, is_over: bool) -> Piece:
    """The log from byte `start` on. While the log grows, a character cut in half waits for the
    rest."""
    data = _read(log, start, CHUNK_BYTES)
    if not (is_over and len(data) < CHUNK_BYTES):
        data = data[: _whole_characters(data)]
    return _piece(data, start, line, is_open)


def tail(log: Log, *, low: int, high: int) -> Piece:
    """The newest lines between two bytes."""
    start = max(low, high - TAIL_BYTES)
    data = _read(log, start, high - start)
    cut = _back(data, SHOWN)
    if start > low and not cut:
        cut = data.find(b"\n") + 1
    return _piece(data[cut:], start + cut, line_at(log, start + cut), is_open=False)


def around(log: Log, number: int) -> Piece:
    """The lines around one of them, as many before as after it; the last ones if the log has no
    such line."""
    offset, number = offset_of(log, number)
    low = max(0, offset - CHUNK_BYTES // 2)
    data = _read(log, low, offset - low)
    before = data[_back(data, SHOWN // 2) :]
    if len(before) == len(data) and low:
        before = data[data.find(b"\n") + 1 :]  # without its first line, which is incomplete
    after = _read(log, offset, CHUNK_BYTES // 2)
    after = after[: _forth(after, SHOWN - SHOWN // 2)]
    first = number - before.count(b"\n")
    return _piece(before + after, offset - len(before), first, is_open=False)


def line_at(log: Log, offset: int) -> int:
    """The number of the line that begins at a byte."""
    near, newlines = max(mark for mark in log.landmarks() if mark[0] <= offset)
    return 1 + newlines + _read(log, near, offset - near).count(b"\n")


def offset_of(log: Log, number: int) -> tuple[int, int]:
    """Where a line begins, and its number; the last line if the log has fewer."""
    marks = list(log.landmarks())
    number = min(number, marks[-1][1] + 1)
    if number == 1:
        return 0, 1
    # The previous line ends in the segment after the last of these.
    at = max(at for at, (_offset, seen) in enumerate(marks) if seen < number - 1)
    offset, seen = marks[at]
    data = _read(log, offset, marks[at + 1][0] - offset)
    return offset + _forth(data, number - 1 - seen), number


def markup(piece: Piece, address: str, *, marked: int = 0) -> tuple[SafeString, SafeString]:
    """The text with a numbered link before each line, and the unfinished line, which the next piece
    replaces. `address` is the link without the line's number."""
    rows = log_markup.to_html(piece.text).split("\n")
    first = 1 if piece.is_open else 0
    last = len(rows) - (rows[-1] == "" and len(rows) > first)
    for at in range(first, last):
        number = piece.line + at - first
        marker = ' aria-current="true"' if number == marked else ""
        rows[at] = (
            f'<span class="row" id="L{number}"{marker}><a class="n" href="{escape(address)}{number}'
            f'#L{number}" data-n="{number}" tabindex="-1" aria-hidden="true"></a>{rows[at]}</span>'
        )
    anew = rows.pop() if piece.kept else ""
    rows += [""] if piece.kept and rows else []  # the line break before it
    return mark_safe("\n".join(rows)), mark_safe(anew)  # noqa: S308  to_html escapes


def first_error(piece: Piece) -> int:
    """The number of the first line that reports an error, 0 if none does. A stack trace has
    priority, because scripts also print results that they call errors."""
    rows = log_markup.to_html(piece.text).split("\n")
    wrong = [at for at, row in enumerate(rows) if row.startswith('<span class="e">')]
    stacks = [at for at in wrong if TRACEBACK in rows[at]]
    at = next(iter(stacks or wrong), None)
    return 0 if at is None else piece.line + at - piece.is_open


def _piece(data: bytes, start: int, line: int, is_open: bool) -> Piece:
    text, kept = data.decode(errors="replace"), len(data) - _written_over(data)
    if kept > MOST_KEPT or (is_open and b"\n" not in data):
        kept = 0
    return Piece(text, start, start + len(data), line, is_open, kept)


def _written_over(data: bytes) -> int:
    """The beginning of what a terminal would still show of the last line."""
    if data.endswith(b"\n"):
        return len(data)
    end = len(data.rstrip(b"\r"))
    return max(data.rfind(b"\n", 0, end), data.rfind(b"\r", 0, end)) + 1


def _read(log: Log, start: int, limit: int) -> bytes:
    return b"".join(log.stream(start=start, limit=limit))


def _back(data: bytes, lines: int) -> int:
    """Where the last so many lines begin."""
    at = len(data) - 1 if data.endswith(b"\n") else len(data)
    for _line in range(lines):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            return 0
    return at + 1


def _forth(data: bytes, lines: int) -> int:
    """Where the line after the first so many begins."""
    at = 0
    for _line in range(lines):
        found = data.find(b"\n", at)
        if found < 0:
            return len(data)
        at = found + 1
    return at


def _whole_characters(data: bytes) -> int:
    """The number of bytes without a character that is cut off at the end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:  # the first byte of a character tells how many follow
            length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) if length <= back else len(data) - back
    return len(data)

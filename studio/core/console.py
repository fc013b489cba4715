"""Terminal text as HTML: escaped, colour codes turned into classes, lines that report trouble marked."""

import re

from django.template.defaultfilters import filesizeformat
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

# Everything a terminal would swallow; only the colour codes (SGR, ending in m) mean something to us.
_CODES = re.compile(r"\x1b(?:\[([0-9;?]*)([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LONGEST_LINE = 16 * 1024  # characters of one line that are shown
_LONGEST_CODE = 3  # digits that the number of a colour has at most
_COLOURS = {*range(30, 38), *range(90, 98)}
_TROUBLE = (
    (
        "e",
        # Nothing here may look ahead over letters: a line may be one word of many megabytes.
        re.compile(r"\b(?:error|exception|traceback|critical|fatal)\b|(?:error|exception):", re.I),
    ),
    ("w", re.compile(r"\bwarn(?:ing)?\b", re.I)),
)


def plain(text: str) -> str:
    """Text without what only a terminal understands."""
    return _CODES.sub("", text)


def to_html(text: str) -> SafeString:
    """Log text, of any origin, as markup that is safe to print inside a `<pre>`."""
    lines = text.replace("\r\n", "\n").split("\n")
    return mark_safe("\n".join(_line(line) for line in lines))  # noqa: S308  _line escapes


def _line(line: str) -> str:
    line = line.rstrip("\r").rsplit("\r", 1)[
        -1
    ]  # a progress bar rewrites its line: its last word counts
    bare = _CODES.sub("", line)
    kind = next((kind for kind, pattern in _TROUBLE if pattern.search(bare)), "")
    body = _coloured(line[:LONGEST_LINE])
    if len(line) > LONGEST_LINE:
        hidden = filesizeformat(len(line[LONGEST_LINE:].encode(errors="replace")))
        body += f" … {hidden} more on this line, in the whole file"
    return f'<span class="{kind}">{body}</span>' if kind else body


def _coloured(line: str) -> str:
    parts, colour, position = [], None, 0
    for code in _CODES.finditer(line):
        parts.append(_piece(line[position : code.start()], colour))
        position = code.end()
        if code[2] == "m":
            colour = _colour_after(code[1], colour)
    parts.append(_piece(line[position:], colour))
    return "".join(parts)


def _piece(text: str, colour: int | None) -> str:
    text = escape(_UNPRINTABLE.sub("", text))
    return f'<span class="ansi-{colour}">{text}</span>' if colour and text else text


def _colour_after(codes: str, colour: int | None) -> int | None:
    for word in (codes or "0").split(";"):
        number = int(word) if word.isdigit() and len(word) <= _LONGEST_CODE else 0
        if number in (0, 39):
            colour = None
        elif number in _COLOURS:
            colour = number if number < 90 else number - 60
    return colour

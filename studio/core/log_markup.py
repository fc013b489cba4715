"""Terminal text as HTML: escaped, with colour codes as classes, and lines that report trouble
marked."""

import re

from django.template.defaultfilters import filesizeformat
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

# Control sequences that a terminal would not show; only colour codes (SGR, ending in m) are used.
_CODES = re.compile(r"\x1b(?:\[([0-9;?]*)([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LONGEST_LINE = 16 * 1024  # characters shown of one line
_LONGEST_CODE = 3  # most digits of a colour's number
_COLOURS = {*range(30, 38), *range(90, 98)}
_TROUBLE = (
    (
        "e",
        # No look-ahead over letters here: a line may be one word of many megabytes.
        re.compile(r"\b(?:error|exception|traceback|critical|fatal)\b|(?:error|exception):", re.I),
    ),
    ("w", re.compile(r"\bwarn(?:ing)?\b", re.I)),
)


def plain(text: str) -> str:
    """The text without control sequences."""
    return _CODES.sub("", text)


def to_html(text: str) -> SafeString:
    """Log text, of any origin, as markup that is safe inside `<pre>`."""
    lines = text.replace("\r\n", "\n").split("\n")
    return mark_safe("\n".join(_line(line) for line in lines))  # noqa: S308  _line escapes


def _line(line: str) -> str:
    line = line.rstrip("\r").rsplit("\r", 1)[
        -1
    ]  # a progress bar rewrites its line: only the last state is shown
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

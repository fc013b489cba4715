"""Names of files, which may be any bytes: shown readably, and written into addresses without loss.
Bytes that are not UTF-8 are surrogates here, as in `os`."""

import os
import re
import unicodedata
from urllib.parse import quote_from_bytes, unquote_to_bytes

BROKEN = re.compile(r"%([89A-Fa-f][0-9A-Fa-f])")
UNSEEN = {"Cc", "Cs", "Zl", "Zp"}  # control characters, surrogates, ends of lines and paragraphs


def shown(name: str) -> str:
    r"""The name with escapes for what cannot be printed: `a\x07b`, `caf\xe9`."""
    return "".join(map(_shown, name)) if not name.isprintable() else name


def _shown(character: str) -> str:
    if unicodedata.category(character) not in UNSEEN:
        return character
    code = ord(character)
    # A surrogate of `os` stands for one byte.
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else repr(character)[1:-1]


def is_text(name: str) -> bool:
    """Whether databases and other stores can hold the name."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_plain(name: str) -> bool:
    """Whether users may choose this name; other names are only accepted for files that exist."""
    return name.isprintable() and "\\" not in name


def of_address(text: str) -> str:
    """The name in an address, where Django leaves bytes that are not UTF-8 escaped."""
    return BROKEN.sub(lambda found: chr(0xDC00 + int(found[1], 16)), text)


def quoted(name: str) -> str:
    """The name for an address or an XML document, in plain characters only."""
    return quote_from_bytes(os.fsencode(name))


def unquoted(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text))

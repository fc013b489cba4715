"""Decodes a request body: decompresses it, and applies its charset."""

import json
import zlib
from email.message import Message
from typing import IO, Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType

from studio.core.rest.bodies import limit_of, too_large

GZIP, ZLIB = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS
CODINGS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": ZLIB}
# Python encodings that are not encodings of text.
ODD = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem")


def read_text(stream: IO[bytes], context: dict[str, Any]) -> str:
    """The decoded body of a request; `context` is the `parser_context` of its view."""
    headers = context["request"].META
    raw = read_bytes(stream, limit_of(context["view"]), headers.get("HTTP_CONTENT_ENCODING", ""))
    return decoded(raw, charset_of(headers.get("CONTENT_TYPE", "")))


def read_bytes(stream: IO[bytes], limit: int, coding: str) -> bytes:
    """At most `limit` bytes of the body, raw and decompressed."""
    raw = stream.read(limit + 1)
    if len(raw) > limit:
        raise too_large(limit)
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return raw
    if coding not in CODINGS:
        raise UnsupportedMediaType(
            coding,
            detail=f"Content-Encoding {coding[:80]!r} is not known here: send gzip, deflate or none.",
        )
    try:
        return _expanded(raw, CODINGS[coding], limit)
    except zlib.error as error:
        raise ParseError(
            f"The body is not {coding}, as its Content-Encoding says: {error}"
        ) from error


def _expanded(raw: bytes, kind: int, limit: int) -> bytes:
    whole = bytearray()
    while raw:  # several compressed members are one body
        unpacker = zlib.decompressobj(kind)
        whole += unpacker.decompress(raw, limit + 1 - len(whole))
        if len(whole) > limit:
            raise too_large(limit)
        if not unpacker.eof:
            raise zlib.error("it ends too early")
        raw = unpacker.unused_data
    return bytes(whole)


def charset_of(content_type: str) -> str:
    message = Message()
    message["Content-Type"] = content_type
    return (message.get_content_charset() or "utf-8").lower()


def decoded(raw: bytes, charset: str) -> str:
    if charset in ("utf-8", "utf8", "us-ascii"):
        charset = "utf-8-sig"
    elif charset.startswith(("utf-16", "utf16", "utf-32", "utf32")) or charset == "unicode":
        charset = json.detect_encoding(raw)  # with or without a byte order mark
    try:
        "".encode(charset)
        if charset.replace("-", "_") in ODD:
            raise LookupError
    except (LookupError, UnicodeError):
        raise UnsupportedMediaType(
            charset, detail=f"The charset {charset[:80]!r} is not known here: send UTF-8."
        ) from None
    try:
        return raw.decode(charset)
    except UnicodeDecodeError as error:
        raise ParseError(
            f"The body is not text in {charset.removesuffix('-sig')}: {error}"
        ) from error

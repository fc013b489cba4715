"""Parsers and negotiation: bodies and replies are JSON, whatever the headers of the client say."""

import json
import re

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser

from studio.core import numbers
from studio.core.errors import BadValue
from studio.core.rest.bodies import Doubled
from studio.core.rest.decoding import read_text

MAX_DEPTH = 100  # nesting; a real graph has about ten levels
MAX_VALUES = 500_000  # per body; a batch of 50,000 metric points has 300,000
# Also matches a string without an end; otherwise each quote would be tried as a beginning.
STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


class AnyJSONParser(JSONParser):
    """Reads the body as JSON, whatever its Content-Type is (wire.md 3.2).

    Refuses what no database column can hold: NUL characters, half of a surrogate pair, numbers
    beyond a double.
    """

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):
        text = read_text(stream, parser_context)
        if not text.strip():
            return {}
        _check_count(text)
        try:
            value = numbers.loads(text, parse_constant=_not_a_number, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error
        if text.count("[") + text.count("{") > MAX_DEPTH:
            _check_depth(value)
        if "\\u" in text:
            _check_texts(value)
        return value


class AlwaysJSON(BaseContentNegotiation):
    """Selects the first parser and renderer, whatever the client accepts."""

    def select_parser(self, request, parsers):
        return parsers[0]

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


def _object(pairs: list[tuple]) -> dict:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Doubled(pairs)


def _check_count(text: str) -> None:
    """Counts values before anything is parsed: one byte of the body may become a list of 56
    bytes."""
    if _marks(text) > MAX_VALUES and _marks(STRING.sub("", text)) > MAX_VALUES:
        raise BadValue(f"The body has more than {MAX_VALUES:,} values.", target="body")


def _marks(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{")


def _not_a_number(text: str) -> str:
    # The SDK logs NaN as a bare word; readers of metrics accept the word.
    return text


def _check_depth(value) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ParseError(f"The body is nested more than {MAX_DEPTH} levels deep.")
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]


def _check_texts(value) -> None:
    text = json.dumps(value, ensure_ascii=False)
    if "\\u0000" in text:
        raise ParseError("The body contains a NUL character, which no text here may have.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ParseError("The body contains half of a surrogate pair, which is no text.") from error

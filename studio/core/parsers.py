"""How REST bodies are read and answered: as JSON, whatever the client says it sends or accepts."""

import json

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser


class AnyJSONParser(JSONParser):
    """Reads the body as JSON whatever its Content-Type says, or if it says nothing (wire 1.5, 7)."""

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):
        raw = stream.read()
        if not raw.strip():
            return {}
        try:
            return json.loads(raw.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error


class AlwaysJSON(BaseContentNegotiation):
    """The first parser and renderer, whatever the client says it accepts."""

    def select_parser(self, request, parsers):
        return parsers[0]

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type

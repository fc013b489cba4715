"""What the URL conf serves as REST: every view of it, by method."""

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from django.urls import get_resolver, resolve
from django.utils.regex_helper import normalize
from rest_framework.views import APIView

from studio.api.document import ApiDocument

METHODS = ("get", "post", "put", "patch", "delete")


def served() -> set[tuple[str, str]]:
    """`(method, pattern)` of all that a caller can reach, but for the API document itself."""
    return {
        (method.upper(), pattern)
        for pattern, view in _walk(get_resolver().url_patterns, "")
        if issubclass(view, APIView) and view.schema is not None and view is not ApiDocument
        for method in METHODS
        if hasattr(view, method)
    }


def _walk(patterns, prefix: str):
    for entry in patterns:
        own = str(entry.pattern)
        pattern = prefix + (own.removeprefix("^") if prefix else own)  # as `resolve` joins them
        if hasattr(entry, "url_patterns"):
            yield from _walk(entry.url_patterns, pattern)
        elif hasattr(entry.callback, "cls"):
            yield pattern, entry.callback.cls


def route_of(method: str, path: str) -> tuple[str, str]:
    """`(method, pattern)` that answers a call."""
    match = resolve(unquote(urlsplit(path).path))
    return method, match.route


def example_of(address: str, **values: str) -> str:
    """A path that leads where a documented address does; parameters without a value are some text."""
    which = "putbatch" if "/secrets:" in address else "STDOUT"
    known = {"container": "artifacts", "which": which} | values
    return re.sub(r"{(\w+)}", lambda name: known.get(name[1], "x"), address)


def every_address() -> Iterator[tuple[str, list[str], object]]:
    """`(template, names of its parameters, view)` of all that the URL conf serves, pages too; the
    template is filled by `%`."""
    for pattern, view in _addresses(get_resolver().url_patterns, ""):
        for template, names in normalize(pattern.replace(r"\Z", "")):
            yield template, names, getattr(view, "cls", view)


def _addresses(patterns, prefix: str):
    for entry in patterns:
        pattern = prefix + entry.pattern.regex.pattern.removeprefix("^")
        if hasattr(entry, "url_patterns"):
            yield from _addresses(entry.url_patterns, pattern)
        else:
            yield pattern, entry.callback

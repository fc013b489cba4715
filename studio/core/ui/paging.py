"""Reads the page of a list from an address."""

from studio.core.db.keyset import SIZES


def place(query) -> dict:
    """The position in a history; an invalid one is the first page."""
    size = _number(query.get("size"))
    return {
        "before": _number(query.get("before")),
        "after": _number(query.get("after")),
        "size": size if size in SIZES else 50,
    }


def _number(text) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None

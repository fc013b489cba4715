"""Ids that callers send as texts."""

from collections.abc import Iterable
from uuid import UUID


def as_uuid(text: str) -> UUID | None:
    """None of a text that is no id."""
    try:
        return UUID(text)
    except ValueError:
        return None


def as_uuids(texts: Iterable[str]) -> list[UUID]:
    """Those that are ids."""
    return [uuid for uuid in map(as_uuid, texts) if uuid is not None]

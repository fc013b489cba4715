"""Reads JSON bodies of REST calls: keys in any case, a reader for each kind of value, and errors
that name the key, the expected kind and what was sent."""

import sys
from collections import Counter
from collections.abc import Mapping, Sized
from typing import Any, TypeVar

from django.conf import settings

from studio.core.errors import BadValue, Refused

LONGEST = 255  # names; longer texts have unlimited columns
MOST_TERMS = 50  # tags or properties in one query: each is a condition
MOST_TEXTS = 5000  # tags or properties of one object: each becomes a row
NO_LIMIT = sys.maxsize


def limit_of(view: Any) -> int:
    """The most bytes of a body for this view: from its class, else the setting."""
    own = getattr(getattr(view, "cls", view), "body_limit", None)
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE if own is None else own)


def too_large(limit: int) -> Refused:
    if limit == settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return Refused(
            f"The body is larger than {limit} bytes (STUDIO_MAX_BODY_BYTES).", status=413
        )
    return Refused(f"The body is larger than {limit} bytes, the most taken here.", status=413)


Many = TypeVar("Many", bound=Sized)


class Doubled(dict[str, Any]):
    """An object that names some keys more than once; the last value of each counts."""

    def __init__(self, pairs: list[tuple[Any, ...]]):
        super().__init__(pairs)
        count = Counter(key for key, _value in pairs)
        self.twice = [key for key in self if count[key] > 1]


class Body:
    """A JSON object with case-insensitive keys (wire.md 3.2)."""

    def __init__(self, data: Any, *, name: str = "body") -> None:
        if not isinstance(data, dict):
            raise BadValue(f"The {name} must be a JSON object, not {kind_of(data)}.", target=name)
        self.raw = data
        # Of two spellings of a key the later one wins, as for equal keys in JSON.
        self._values = {str(key).lower(): value for key, value in data.items()}

    def __contains__(self, key: str) -> bool:
        return self._values.get(key.lower()) is not None

    def get(self, key: str) -> Any:
        return self._values.get(key.lower())

    @property
    def twice(self) -> list[list[str]]:
        """The spellings of each key that occurs more than once."""
        spelled: dict[str, list[str]] = {}
        for key in self.raw:
            spelled.setdefault(key.lower(), []).append(key)
        again = keys_twice(self.raw)
        return [names for names in spelled.values() if len(names) > 1 or names[0] in again]

    def text(
        self, key: str, default: str = "", *, required: bool = False, longest: int | None = None
    ) -> str:
        """A text; a bare number is accepted as it is spelled (wire.md 3.3)."""
        value = self.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if value is None:
            value = default
        if not isinstance(value, str):
            raise self.wrong(key, "a text")
        if required and not value.strip():
            raise BadValue(f"{key} is required.", target=key)
        if longest is not None and len(value) > longest:
            raise BadValue(f"{key} may have at most {longest} characters.", target=key)
        return value

    def name(self, key: str, *, required: bool = True) -> str:
        return self.text(key, required=required, longest=LONGEST).strip()

    def flag(self, key: str, default: bool | None = None) -> bool | None:
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise self.wrong(key, "true or false")

    def mapping(self, key: str) -> dict[str, Any]:
        value = self.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.wrong(key, "an object")
        return value

    def items(self, key: str, *, most: int | None = None) -> list[Any]:
        value = self.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return value if most is None else at_most(most, value, name=key)

    def texts(self, key: str) -> dict[str, str]:
        """An object of texts: tags and properties. Numbers and booleans become text."""
        return texts(self.mapping(key), name=key)

    def wrong(self, key: str, wanted: str) -> BadValue:
        return BadValue(f"{key} must be {wanted}, not {kind_of(self.get(key))}.", target=key)


def keys_twice(value: dict[str, Any]) -> list[str]:
    """The keys that occur more than once in an object of the body, with the same spelling."""
    return value.twice if isinstance(value, Doubled) else []


def texts(values: dict[str, Any], *, name: str) -> dict[str, str]:
    read = {}
    for key, value in at_most(MOST_TEXTS, values, name=name).items():
        if isinstance(value, dict | list):
            raise BadValue(
                f"{name}[{key!r}] must be a text, not {kind_of(value)}.", target=f"{name}.{key}"
            )
        if len(key) > LONGEST:
            raise BadValue(f"A key of {name} is longer than {LONGEST} characters.", target=name)
        read[key] = value if isinstance(value, str) else _word(value)
    return read


def at_most(most: int, values: Many, *, name: str) -> Many:
    """The values, unless there are too many: each costs more than the bytes that name it."""
    if len(values) > most:
        raise BadValue(f"{name} may name at most {most:,} at once.", target=name)
    return values


def strings(values: object, *, name: str) -> list[str]:
    """A bare JSON list of texts: node ids, tag names."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadValue(f"The {name} must be a list of texts.", target=name)
    return values


def flag_of(query: Mapping[str, str], key: str, default: bool) -> bool:
    """A boolean of the query string, by its key in any case."""
    for name, value in query.items():
        if name.lower() == key.lower():
            if value.lower() in ("true", "1"):
                return True
            if value.lower() in ("false", "0", ""):
                return False
            raise BadValue(f"{key} must be true or false, not {value!r}.", target=key)
    return default


def query_text(query: Mapping[str, str], key: str) -> str:
    """A text of the query string, by its key in any case; the last of several."""
    return next((value for name, value in query.items() if name.lower() == key.lower()), "")


def kind_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value[:80]!r}"
    return "a list" if isinstance(value, list) else "an object"


def _word(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)

"""JSON numbers that remember their spelling: where a text is wanted, 1.10 is "1.10"."""

import json
import math
import sys
from functools import partial
from typing import Any


class WrittenNumber(float):
    """A number whose spelling JSON would not reproduce: `1.10`, `0.00001`, `1e3`, `-0`."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "WrittenNumber":
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]  # text, where float has a number
        return (self.text,)


def read_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number.")
    # PostgreSQL expands exponents and has no negative zero, so the spelling of these would be lost.
    is_plain = repr(number) == text and "e" not in text and text != "-0.0"
    return number if is_plain else WrittenNumber(text)


def read_int(text: str) -> float:
    number = int(text)
    if abs(number) > sys.float_info.max:
        raise ValueError(f"{text[:40]} is too large a number.")
    return WrittenNumber(text) if text == "-0" else number


loads = partial(json.loads, parse_float=read_float, parse_int=read_int)


def storable(value: Any) -> Any:
    """A JSON value for a column: a number whose spelling would be lost becomes text."""
    if isinstance(value, WrittenNumber):
        return value.text
    if isinstance(value, dict):
        return {key: storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value

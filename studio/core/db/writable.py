"""Makes a script's output storable in every database: PostgreSQL takes no NUL, no database takes
half of a surrogate pair (which Python uses for bytes that are not UTF-8), JSON has no NaN."""

import math
import re
from typing import Any

UNWRITABLE = re.compile("[\0\ud800-\udfff]")
REPLACED = "\N{REPLACEMENT CHARACTER}"


def writable(value: Any) -> Any:
    """The text or JSON document with replacements for what cannot be stored."""
    if isinstance(value, str):
        return UNWRITABLE.sub(REPLACED, value)
    if isinstance(value, dict):
        return {writable(key): writable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [writable(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value

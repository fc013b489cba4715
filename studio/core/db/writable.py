"""What a script says, as every column can hold it: PostgreSQL takes no NUL character, no database half
of a surrogate pair (Python's stand-in for the bytes of a name that is not UTF-8), JSON no NaN."""

import math
import re
from typing import Any

UNWRITABLE = re.compile("[\0\ud800-\udfff]")
REPLACED = "\N{REPLACEMENT CHARACTER}"


def writable(value: Any) -> Any:
    """The same text, or JSON document of texts and numbers; what no column holds is replaced."""
    if isinstance(value, str):
        return UNWRITABLE.sub(REPLACED, value)
    if isinstance(value, dict):
        return {writable(key): writable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [writable(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value

"""SQL written out, for what happens several times per step: Django takes ten times as long to build such
a statement as the database takes to run it."""

from datetime import datetime
from typing import Any

from django.db import connection


def run(sql: str, *values: Any) -> int:
    """Run a statement with `%s` for each value; how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [_adapted(value) for value in values])
        return int(cursor.rowcount)


def _adapted(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    # A driver may know what to do with an enumeration, which is not what we want.
    return str(value) if isinstance(value, str) else value

"""Written-out SQL for statements that run several times per step: Django needs ten times as long to
build one as the database to run it."""

from datetime import datetime
from typing import Any

from django.db import connection


def run(sql: str, *values: Any) -> int:
    """Run a statement with `%s` for each value; returns the number of changed rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [_adapted(value) for value in values])
        return int(cursor.rowcount)


def _adapted(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    # Plain text, because a driver may adapt an enumeration in its own way.
    return str(value) if isinstance(value, str) else value

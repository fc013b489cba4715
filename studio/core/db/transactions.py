"""Write transactions that queue up fairly, and rows that stay as they are until one ends.

SQLite has one writer at a time, and lets those who come second sleep for ever longer before they try
again. Threads of one process can do better: they wait for each other at a lock, which wakes the next at
once. PostgreSQL needs nothing of the kind.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

_turn = Lock()


@contextmanager
def write_transaction() -> Iterator[None]:
    """`transaction.atomic()` for short writes; inside another transaction it is a part of that one."""
    if connection.in_atomic_block:
        # Whoever holds the database's lock must not wait here for one who waits for that.
        with transaction.atomic(savepoint=False):
            yield
    elif connection.vendor == "sqlite":
        with _turn, transaction.atomic():
            yield
    else:
        with transaction.atomic():
            yield


def share_locked(row: QuerySet[Any, Any]) -> tuple[Any, ...]:
    """The values of a `values_list` of one row as they are now, which nobody changes until this
    transaction ends. Several may hold a row at once, and whoever changes it waits for all of them. On
    SQLite a write transaction is alone as it is.
    """
    query, values = row.query.sql_with_params()
    share = " FOR SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(query + share, values)
        found: tuple[Any, ...] | None = cursor.fetchone()
    if found is None:
        raise LookupError("There is no such row any more.")
    return found

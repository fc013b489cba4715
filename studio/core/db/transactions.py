"""Write transactions that wait in turn, and shared locks on rows.

SQLite has one writer at a time, and lets the others sleep for longer and longer between tries.
Threads of one process do better: they wait at a lock, which wakes the next one at once. PostgreSQL
needs none of this.
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
    """For the short writes that steps and triggers make all the time; inside another transaction it is part
    of that one. Use `transaction.atomic()` where files are written meanwhile, for what people do now and
    then, and where an error is caught while the transaction around goes on, which takes a savepoint.
    """
    if connection.in_atomic_block:
        # Inside a transaction we hold the database's lock, and must not wait here for a thread that
        # waits for it.
        with transaction.atomic(savepoint=False):
            yield
    elif connection.vendor == "sqlite":
        with _turn, transaction.atomic():
            yield
    else:
        with transaction.atomic():
            yield


def share_locked(row: QuerySet[Any, Any]) -> tuple[Any, ...]:
    """The current values of a `values_list` of one row, which cannot change until this transaction
    ends. Several transactions may share the lock; a change waits for all of them. On SQLite a write
    transaction is exclusive anyway."""
    query, values = row.query.sql_with_params()
    share = " FOR SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(query + share, values)
        found: tuple[Any, ...] | None = cursor.fetchone()
    if found is None:
        raise LookupError("There is no such row any more.")
    return found

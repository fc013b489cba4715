"""Write transactions that queue up fairly.

SQLite has one writer at a time, and lets those who come second sleep for ever longer before they try
again. Threads of one process can do better: they wait for each other at a lock, which wakes the next at
once. PostgreSQL needs nothing of the kind.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.db import connection, transaction

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

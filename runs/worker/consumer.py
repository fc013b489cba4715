"""A Celery worker for our own command: with threads, without gossip and without Celery's logging setup."""

import logging
import warnings
from typing import Any

from celery import signals
from celery.platforms import SecurityWarning

from studio.celery import app


def consumer(*, name: str, queues: list[str], slots: int) -> Any:
    """The worker, not yet started. On SIGTERM or SIGINT it ends as soon as its slots are free."""
    # Our settings configure the logging. Tasks need no log, since status changes are logged.
    signals.setup_logging.connect(_keep_our_logging, weak=False)
    logging.getLogger("celery").setLevel(logging.WARNING)
    # Celery warns about running as root. Foreign code runs only in the steps' own processes.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    return app.Worker(
        hostname=name,
        pool="threads",
        concurrency=slots,
        queues=queues,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )


def _keep_our_logging(**_: Any) -> None:
    """A receiver of `setup_logging`; if there is one, Celery does not configure logging."""

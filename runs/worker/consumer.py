"""A Celery worker inside a command of ours: threads, no gossip, no logging of its own."""

import logging
import warnings
from typing import Any

from celery import signals
from celery.platforms import SecurityWarning

from studio.celery import app


def consumer(*, name: str, queues: list[str], slots: int) -> Any:
    """The worker, to be started; it ends by SIGTERM or SIGINT when its slots are free."""
    # It is told how to log by our settings, and a step's work is logged by the change of its status.
    signals.setup_logging.connect(_keep_our_logging, weak=False)
    logging.getLogger("celery").setLevel(logging.WARNING)
    # Steps are what runs foreign code, and they do so in processes of their own either way.
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
    """Connected to the signal, it keeps Celery from setting its own."""

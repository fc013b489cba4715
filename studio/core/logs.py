"""Log lines: one per event, `key=value`, with the correlation id of the request or step."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="-")


def _facts(record: logging.LogRecord) -> dict[str, str]:
    facts = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "correlation": correlation_id.get(),
        "message": record.getMessage(),
    }
    if record.exc_info:
        facts["error"] = logging.Formatter().formatException(record.exc_info)
    return facts


class AsOneWarning(logging.Filter):
    """Logs as a one-line warning what only callers can fix: our own traceback does not help."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = None
        return True


class LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = _facts(record)
        error = facts.pop("error", None)
        line = " ".join(
            f"{key}={json.dumps(value) if ' ' in value else value}" for key, value in facts.items()
        )
        return f"{line}\n{error}" if error else line


class JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_facts(record))

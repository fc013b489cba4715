"""Times as clients write them."""

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime


def parse_time(text: str | None) -> datetime:
    """A time of the wire; now where there is none or it cannot be read."""
    try:
        return read_time(text or "")
    except ValueError:
        return timezone.now()


def read_time(text: str) -> datetime:
    """In UTC, which all of them are without a zone; ValueError says that it cannot be read."""
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(f"{text!r} is no time")
    try:
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError as error:  # before the year 1 or after 9999, there
        raise ValueError(f"{text!r} is outside of the calendar") from error

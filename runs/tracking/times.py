"""Parses times that clients send."""

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime


def parse_time(text: str | None) -> datetime:
    """The time that a client sent; now if there is none or it is invalid."""
    try:
        return read_time(text or "")
    except ValueError:
        return timezone.now()


def read_time(text: str) -> datetime:
    """A time in UTC, which is also assumed if there is no zone; ValueError if it is invalid."""
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(f"{text!r} is no time")
    try:
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError as error:  # in UTC it is before the year 1 or after 9999
        raise ValueError(f"{text!r} is outside of the calendar") from error

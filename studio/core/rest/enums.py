"""The enumerations of the pipelines service: words, and the numbers of its first description
(wire.md 3.6).

The service changed from numbers to words, and the SDK reads both; callers' own code reads only one.
Words are sent unless a client asks for numbers, by `?enums=int` or `Accept: …; enums=int`.
"""

import re
from typing import Any

from django.http import HttpRequest

ENTITY_STATUSES = ("Active", "Deprecated", "Disabled")
RUN_STATUSES = ("NotStarted", "Running", "Failed", "Finished", "Canceled")
NODE_STATUSES = (
    *("NotStarted", "Queued", "Running", "Failed", "Finished", "Canceled"),
    *("PartiallyExecuted", "Bypassed"),
)
RUN_TYPES = ("HTTP", "SDK", "Schedule", "Portal")
WORDS = {
    "EntityStatus": ENTITY_STATUSES,
    "UploadState": ("Uploading", "Completed", "Canceled", "Failed"),
    "RunType": RUN_TYPES,
    "ScheduleType": ("Recurrence", "DataStore"),
    "ProvisioningStatus": ("Completed", "Provisioning", "Failed"),
    "Frequency": ("Month", "Week", "Day", "Hour", "Minute"),
    "WeekDays": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
ASKED = re.compile(r"(?:^|[;,&\s])enums=int(?:$|[;,&\s])", re.IGNORECASE)


def wants_numbers(request: HttpRequest) -> bool:
    meta = request.META
    return bool(ASKED.search(f"{meta.get('QUERY_STRING', '')}&{meta.get('HTTP_ACCEPT', '')}"))


def as_numbers(value: object) -> object:
    """An entity, or a list of them, with numbers instead of words."""
    if isinstance(value, list):
        return [as_numbers(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _number(key, item, beside=value) for key, item in value.items()}


def _number(key: str, value: object, *, beside: dict[str, Any]) -> object:
    words = WORDS.get(key)
    if key == "StatusCode":
        words = NODE_STATUSES if "ScheduleTime" in beside else RUN_STATUSES
    if words is None:
        return as_numbers(value)
    if isinstance(value, list):
        return [words.index(word) if word in words else word for word in value]
    if key == "RunType" and value not in words:
        return 0  # empty, or a text of the caller's own: HTTP
    return words.index(value) if value in words else value

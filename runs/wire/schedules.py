"""Schedules on the wire (wire.md 11)."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from runs.models import Schedule
from runs.recurrence import FREQUENCIES, WEEK_DAYS, windows_name
from runs.submission import RunSettings
from runs.wire import submission
from studio.core.rest.views import wire_time

FIELD_NAMES = {  # in errors
    **submission.FIELD_NAMES,
    "endpoint_version": "version",
    "trigger": "ScheduleType",
    "recurrence": "Recurrence",
    "frequency": "Recurrence.Frequency",
    "interval": "Recurrence.Interval",
    "start_time": "Recurrence.StartTime",
    "time_zone": "Recurrence.TimeZone",
    "schedule": "Recurrence.Schedule",
    "hours": "Recurrence.Hours",
    "minutes": "Recurrence.Minutes",
    "week_days": "Recurrence.WeekDays",
    "polling_minutes": "DataStoreTriggerInfo.PollingInterval",
    "datapath_parameter": "DataStoreTriggerInfo.DataPathParameterName",
}


def schedule_entity(schedule: Schedule) -> dict:
    """PipelineScheduleEntity, then what v1 lacks (wire.md 11)."""
    pinned = schedule.endpoint_version
    return {
        "Id": str(schedule.uuid),
        "Name": schedule.name,
        "PipelineId": str(schedule.pipeline.uuid) if schedule.pipeline else None,
        "PipelineEndpointId": str(schedule.endpoint.uuid) if schedule.endpoint else None,
        "ScheduleType": schedule.trigger,
        "Recurrence": recurrence_entity(schedule) if schedule.is_recurrence else None,
        "DataStoreTriggerInfo": None if schedule.is_recurrence else watch_entity(schedule),
        "PipelineSubmissionInfo": submission.write(RunSettings.from_json(schedule.settings)),
        "ProvisioningStatus": "Completed",
        "EntityStatus": schedule.status,
        "Etag": str(schedule.etag),
        "CreatedDate": wire_time(schedule.created_at),
        "LastModifiedDate": wire_time(schedule.updated_at),
        "PipelineEndpointVersion": None if pinned is None else str(pinned),
        "SkipsWhileRunning": schedule.skips_while_running,
        "NextTime": wire_time(schedule.next_at),
    }


# Clients send a frequency or day as its word, in any case, or as its number (wire.md 3.6).
WORDS = {
    name: {word.lower(): word for word in words} | {str(n): word for n, word in enumerate(words)}
    for name, words in (("frequency", FREQUENCIES), ("week_days", WEEK_DAYS))
}


def read_recurrence(wire: Mapping[str, Any]) -> dict[str, Any]:
    """A posted recurrence in our words, for `Recurrence.parse`, which checks the values."""
    given = _lower(wire)
    times = given.get("schedule")
    if times is not None and not isinstance(times, Mapping):
        raise ValidationError({"schedule": ["This must be an object."]})
    times = _lower(times or {})
    days = times.get("weekdays")
    return {
        "frequency": _word("frequency", given.get("frequency")),
        "interval": _whole(given.get("interval")),
        "start_time": given.get("starttime"),
        "time_zone": given.get("timezone"),
        "hours": times.get("hours"),
        "minutes": times.get("minutes"),
        "week_days": [_word("week_days", day) for day in days] if isinstance(days, list) else days,
    }


def _lower(wire: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key).lower(): value for key, value in wire.items()}


def _word(name: str, value: object) -> object:
    is_word = isinstance(value, str | int) and not isinstance(value, bool)
    return WORDS[name].get(str(value).lower(), value) if is_word else value


def _whole(value: object) -> object:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value


def recurrence_entity(schedule: Schedule) -> dict:
    """The recurrence, with its zone under a name that the SDK knows: it cannot read another."""
    rule = schedule.rule
    times = {
        "Hours": list(rule.hours) or None,
        "Minutes": list(rule.minutes) or None,
        "WeekDays": list(rule.week_days) or None,
    }
    return {
        "Frequency": rule.frequency,
        "Interval": rule.interval,
        "StartTime": rule.start.isoformat() if rule.is_given_start else None,
        "TimeZone": windows_name(rule.time_zone),
        "Schedule": times if rule.has_times else None,
    }


def watch_entity(schedule: Schedule) -> dict:
    return {
        "DataStoreName": schedule.datastore_name,
        "PathOnDataStore": schedule.path or None,
        "PollingInterval": schedule.polling_minutes,
        "DataPathParameterName": schedule.datapath_parameter or None,
        "IncludesSubfolders": schedule.includes_subfolders,
        "OneRunPerBatch": schedule.one_run_per_batch,
    }

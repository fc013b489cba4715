"""Schedules on the wire (wire.md 11)."""

from collections.abc import Mapping
from typing import Annotated, Any

from django.core.exceptions import ValidationError

from endpoints.wire.bodies import StatusWord, VersionNumber
from runs.models import Schedule, Trigger
from runs.recurrence import FREQUENCIES, WEEK_DAYS, windows_name
from runs.submission import RunSettings
from runs.wire import submission
from runs.wire.entity_types import RecurrenceEntity, ScheduleEntity, TimesEntity, WatchEntity
from runs.wire.submission import Stored
from studio.core.errors import BadValue
from studio.core.rest.bodies import LONGEST, Body, kind_of
from studio.core.rest.schema import Also, example, looks_like
from studio.core.rest.serializers import Flag, NameText, Object, Text, WireSerializer
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


# The client sends numbers and reads words (wire.md 3.6).
TRIGGERS = {
    "recurrence": Trigger.RECURRENCE,
    "0": Trigger.RECURRENCE,
    "datastore": Trigger.DATASTORE,
    "1": Trigger.DATASTORE,
}


def trigger_kind(body: Body) -> Trigger | None:
    """What `ScheduleType` says; the other kind of trigger is not read then."""
    if "ScheduleType" not in body:
        return None
    word = body.get("ScheduleType")
    kind = TRIGGERS.get(str(word).lower()) if isinstance(word, str | int) else None
    if kind is None:
        raise BadValue(
            f'ScheduleType must be "Recurrence" or "DataStore", not {kind_of(word)}.',
            target="ScheduleType",
        )
    return kind


@looks_like(Annotated[str, Also(enum=Trigger.values)])
class TriggerKind(Text):
    def of(self, body: Body, key: str) -> Any:
        return trigger_kind(body)


@looks_like(RecurrenceEntity)
class RecurrenceRule(Object):
    def of(self, body: Body, key: str) -> Any:
        if trigger_kind(body) is Trigger.DATASTORE:
            return None
        return read_recurrence(body.mapping(key))


@looks_like(int)
class WholeNumber(Text):
    def of(self, body: Body, key: str) -> Any:
        text = body.text(key).strip()
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            wrong = kind_of(body.get(key))
            raise BadValue(f"{key} must be a whole number, not {wrong}.", target=key)
        return int(text)


class StorePath(Text):
    def of(self, body: Body, key: str) -> str:
        return super().of(body, key).strip("/")


class WatchBody(WireSerializer):
    """Files whose changes start runs."""

    DataStoreName = Text("datastore", required=True, max_length=LONGEST)
    PathOnDataStore = StorePath("path", default="", help_text="By default everything in it.")
    PollingInterval = WholeNumber("polling_minutes", help_text="Minutes; by default 5.")
    DataPathParameterName = Text(
        "datapath_parameter",
        default="",
        max_length=LONGEST,
        help_text="The parameter that is given the path of what changed.",
    )
    IncludesSubfolders = Flag("includes_subfolders")
    OneRunPerBatch = Flag(
        "one_run_per_batch",
        help_text="One run for all changes of a poll, as by default, or one for each file.",
    )

    def of(self, body: Body, key: str) -> Any:
        return None if trigger_kind(body) is Trigger.RECURRENCE else super().of(body, key)


@example({"Name": "Nightly", "Recurrence": {"Frequency": "Week", "Interval": 2}})
class ChangedSchedule(WireSerializer):
    """The whole entity with changes; keys that are not there stay as they are."""

    PipelineId = Text("pipeline", help_text="Never changes.")
    PipelineEndpointId = Text("endpoint", help_text="Never changes.")
    Etag = Text("etag", help_text="As it was read: an old one is refused with 409.")
    SkipsWhileRunning = Flag(
        "skips_while_running", help_text="Whether a time is skipped while a run has not ended."
    )
    ScheduleType = TriggerKind("kind", help_text="Never changes.")
    Recurrence = RecurrenceRule("recurrence")
    DataStoreTriggerInfo = WatchBody(source="watch", required=False)
    Name = NameText("name", required=False)
    PipelineSubmissionInfo = Stored(
        source="settings", required=False, help_text="What its runs are to be."
    )
    EntityStatus = StatusWord("status", help_text="Disabled: no more runs.")
    PipelineEndpointVersion = VersionNumber(
        "version", help_text="By default the version that is the default then."
    )


@example(
    {
        "Name": "Nightly",
        "PipelineEndpointId": "5b1d5bb0-0000-4000-8000-000000000000",
        "Recurrence": {
            "Frequency": "Day",
            "Interval": 1,
            "TimeZone": "UTC",
            "Schedule": {"Hours": [3], "Minutes": [0]},
        },
        "PipelineSubmissionInfo": {
            "ExperimentName": "nightly",
            "ParameterAssignments": {"learning_rate": "0.1"},
        },
        "SkipsWhileRunning": True,
    }
)
class NewSchedule(ChangedSchedule):
    """A schedule of an endpoint or a pipeline, with a recurrence or files to watch."""

    Etag = EntityStatus = None
    PipelineId = Text("pipeline", help_text="Either this or an endpoint.")
    PipelineEndpointId = Text("endpoint", help_text="Either this or a pipeline.")
    ScheduleType = TriggerKind("kind", help_text="By default whichever of the two is there.")
    Name = NameText("name")
    PipelineSubmissionInfo = Stored(
        source="settings",
        required=False,
        default=RunSettings,
        help_text="What its runs are to be.",
    )
    SkipsWhileRunning = Flag(
        "skips_while_running",
        default=False,
        help_text="Whether a time is skipped while a run has not ended.",
    )


def schedule_entity(schedule: Schedule) -> ScheduleEntity:
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


def recurrence_entity(schedule: Schedule) -> RecurrenceEntity:
    """The recurrence, with its zone under a name that the SDK knows: it cannot read another."""
    rule = schedule.rule
    times: TimesEntity = {
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


def watch_entity(schedule: Schedule) -> WatchEntity:
    return {
        "DataStoreName": schedule.datastore_name,
        "PathOnDataStore": schedule.path or None,
        "PollingInterval": schedule.polling_minutes,
        "DataPathParameterName": schedule.datapath_parameter or None,
        "IncludesSubfolders": schedule.includes_subfolders,
        "OneRunPerBatch": schedule.one_run_per_batch,
    }

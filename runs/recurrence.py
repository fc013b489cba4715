"""When a schedule fires: v1's recurrence (wire.md 11) as a pure calculation, without a database.

Minute and Hour count elapsed time from the start. Day, Week and Month follow the local clock of
their zone: a time skipped by daylight saving fires once, later by as much as the clock was moved; a
time that occurs twice fires at the first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, cached_property
from heapq import heappop, heappush
from itertools import islice
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from tzlocal.windows_tz import tz_win, win_tz

FREQUENCIES = ("Month", "Week", "Day", "Hour", "Minute")
STEPS: dict[str, Literal[1, 2, 3]] = {"Month": MONTHLY, "Week": WEEKLY, "Day": DAILY}
WEEK_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_NAMES = dict(
    zip(
        WEEK_DAYS,
        (
            gettext_lazy("Monday"),
            gettext_lazy("Tuesday"),
            gettext_lazy("Wednesday"),
            gettext_lazy("Thursday"),
            gettext_lazy("Friday"),
            gettext_lazy("Saturday"),
            gettext_lazy("Sunday"),
        ),
        strict=True,
    )
)
# Zones of the SDK's enumeration that the zone table no longer has.
RETIRED_ZONES = {
    "Mid-Atlantic Standard Time": "Atlantic/South_Georgia",
    "Kamchatka Standard Time": "Asia/Kamchatka",
}
LONGEST_INTERVAL = 100_000
YEARS = (1970, 2200)
# Clocks never jump further than this, so later local times cannot result in earlier moments.
SLACK = timedelta(hours=26)


class BadRecurrence(ValueError):
    """`field` is the invalid part of the recurrence; the text says why."""

    def __init__(self, field: str, reason: str):
        super().__init__(reason)
        self.field = field


@cache
def iana_names() -> frozenset[str]:
    """Read once: looking through the system's zone files takes over 10 ms."""
    return frozenset(available_timezones())


def zone_of(name: str) -> ZoneInfo:
    """The zone of a Windows name (v1 sends these) or of an IANA name."""
    if not isinstance(name, str):
        raise BadRecurrence("time_zone", "This must be the name of a time zone.")
    known = win_tz.get(name) or RETIRED_ZONES.get(name) or name
    if known not in iana_names():
        raise BadRecurrence("time_zone", f"There is no time zone {name[:80]!r}.")
    return ZoneInfo(known)


def windows_name(name: str) -> str:
    """The Windows name of a zone; the SDK's enumeration knows no others."""
    if name in win_tz or name in RETIRED_ZONES:
        return name
    return tz_win.get(name, name)


@dataclass(frozen=True)
class Recurrence:
    """Every `interval` units from `start`, a naive local time of the zone, at given times."""

    frequency: str
    interval: int
    start: datetime
    time_zone: str = "UTC"
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    week_days: tuple[str, ...] = ()
    is_given_start: bool = True

    @classmethod
    def parse(cls, given: Mapping[str, Any], *, created_at: datetime) -> "Recurrence":
        """A recurrence without a start time starts when it was created."""
        given = {name: value for name, value in given.items() if value is not None}
        frequency = _frequency(given.get("frequency"))
        zone_name = given.get("time_zone", "UTC")
        zone = zone_of(zone_name)
        start = given.get("start_time")
        return cls(
            frequency=frequency,
            interval=_interval(given.get("interval", 1)),
            start=_start(start, zone)
            if start
            else created_at.astimezone(zone).replace(tzinfo=None, microsecond=0),
            time_zone=zone_name,
            hours=_numbers("hours", given.get("hours"), 23, frequency),
            minutes=_numbers("minutes", given.get("minutes"), 59, frequency),
            week_days=_week_days(given.get("week_days"), frequency),
            is_given_start=bool(start),
        )

    def as_json(self) -> dict[str, Any]:
        """What `parse` reads."""
        return {
            "frequency": self.frequency,
            "interval": self.interval,
            "start_time": self.start.isoformat() if self.is_given_start else None,
            "time_zone": self.time_zone,
            "hours": list(self.hours),
            "minutes": list(self.minutes),
            "week_days": list(self.week_days),
        }

    @cached_property
    def zone(self) -> ZoneInfo:
        return zone_of(self.time_zone)

    @property
    def has_times(self) -> bool:
        return bool(self.hours or self.minutes or self.week_days)

    @cached_property
    def starts_at(self) -> datetime:
        return _moment(self.start, self.zone)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time after `moment`; None if there is none before the end of the calendar."""
        return next(self.times_after(moment), None)

    def upcoming(self, moment: datetime, count: int) -> list[datetime]:
        return list(islice(self.times_after(moment), count))

    def times_after(self, moment: datetime) -> Iterator[datetime]:
        """Times after `moment` in UTC, in order. If hours, minutes or days are given, the start
        itself is not among them, even if it matches: v1 documents this."""
        floor = max(moment, self.starts_at if self.has_times else self.starts_at - _INSTANT)
        try:
            if self.frequency in ("Minute", "Hour"):
                yield from self._elapsed(floor)
            else:
                yield from self._on_the_wall(floor)
        except OverflowError:
            return

    def _elapsed(self, floor: datetime) -> Iterator[datetime]:
        unit = timedelta(minutes=1) if self.frequency == "Minute" else timedelta(hours=1)
        step = unit * self.interval
        number = (floor - self.starts_at) // step + 1
        while True:
            yield self.starts_at + number * step
            number += 1

    def _on_the_wall(self, floor: datetime) -> Iterator[datetime]:
        """Local times come in order, but skipped ones move later: each is held back until no later
        one can precede it."""
        waiting: list[datetime] = []
        last = floor
        for local in self._wall_times(floor.astimezone(self.zone).replace(tzinfo=None) - SLACK):
            found = _moment(local, self.zone)
            heappush(waiting, found)
            while waiting[0] < found - SLACK:
                soonest = heappop(waiting)
                if soonest > last:
                    yield (last := soonest)
        while waiting:
            soonest = heappop(waiting)
            if soonest > last:
                yield (last := soonest)

    def _wall_times(self, since: datetime) -> Iterator[datetime]:
        start = self._near(since)
        rule = rrule(
            STEPS[self.frequency],
            interval=self.interval,
            dtstart=start,
            byhour=self.hours or (self.start.hour,),
            byminute=self.minutes or ((0,) if self.hours else (self.start.minute,)),
            bysecond=0 if self.hours or self.minutes else self.start.second,
            **self._days(),
        )
        yield from rule.xafter(max(since, self.start), inc=True)

    def _days(self) -> dict[str, Any]:
        if self.frequency == "Week":
            days = self.week_days or (WEEK_DAYS[self.start.weekday()],)
            return {"byweekday": [WEEK_DAYS.index(day) for day in days]}
        if self.frequency == "Month":
            # In a shorter month, the 31st is its last day.
            last = self.start.day
            return {"bymonthday": list(range(min(last, 28), last + 1)), "bysetpos": -1}
        return {}

    def _near(self, since: datetime) -> datetime:
        """A start in the same rhythm, at most some intervals before `since`, so that a rule that
        began years ago is not walked day by day."""
        day = self.start.date()
        if self.frequency == "Month":
            passed = (since.year - day.year) * 12 + since.month - day.month
            months = max(0, passed // self.interval - 1) * self.interval
            year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
            return datetime.combine(date(year, month + 1, 1), time())
        span = timedelta(days=self.interval * (7 if self.frequency == "Week" else 1))
        skipped = max(0, (since.date() - day) // span - 1)
        return datetime.combine(day + skipped * span, time())

    def words(self) -> str:
        """For people, such as `Every 2 weeks on Monday and Friday at 06:30, Eastern Time`."""
        parts = [self._every()]
        if self.frequency == "Week":
            days = sorted(self.week_days or [WEEK_DAYS[self.start.weekday()]], key=WEEK_DAYS.index)
            names = _listed([str(DAY_NAMES[day]) for day in days])
            parts.append(_("on %(days)s") % {"days": names})
        if self.frequency == "Month":
            day = self.start.day
            on = _("on day %(day)d, or the last one") if day > 28 else _("on day %(day)d")
            parts.append(on % {"day": day})
        if self.frequency in ("Day", "Week", "Month"):
            parts.append(self._at())
        zone = self.time_zone.replace(" Standard Time", " Time")
        return pgettext("recurrence", "%(when)s, %(zone)s") % {
            "when": " ".join(parts),
            "zone": zone,
        }

    def _every(self) -> str:
        count = self.interval
        texts = {
            "Minute": ngettext("Every minute", "Every %(count)d minutes", count),
            "Hour": ngettext("Every hour", "Every %(count)d hours", count),
            "Day": ngettext("Every day", "Every %(count)d days", count),
            "Week": ngettext("Every week", "Every %(count)d weeks", count),
            "Month": ngettext("Every month", "Every %(count)d months", count),
        }
        text = texts[self.frequency]
        return text % {"count": count} if "%(count)d" in text else text

    def _at(self) -> str:
        hours = sorted(self.hours) or [self.start.hour]
        minutes = sorted(self.minutes) or [0 if self.hours else self.start.minute]
        clock = [f"{hour:02}:{minute:02}" for hour in hours for minute in minutes]
        if len(clock) > 6:
            return _("%(count)d times a day") % {"count": len(clock)}
        return _("at %(times)s") % {"times": _listed(clock)}


_INSTANT = timedelta(microseconds=1)


def _moment(local: datetime, zone: tzinfo) -> datetime:
    """`fold` 0 is the first of two equal local times, and moves a skipped time later."""
    return local.replace(tzinfo=zone).astimezone(UTC)


def _listed(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return _("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}


def _frequency(value: object) -> str:
    if isinstance(value, str) and value in FREQUENCIES:
        return value
    raise BadRecurrence("frequency", "This must be Minute, Hour, Day, Week or Month.")


def _interval(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRecurrence("interval", "This must be a whole number.")
    if not 1 <= value <= LONGEST_INTERVAL:
        raise BadRecurrence("interval", f"This must be from 1 to {LONGEST_INTERVAL}.")
    return value


def _start(value: Any, zone: tzinfo) -> datetime:
    """The local time in the zone; a text with an offset is converted."""
    try:
        # A bare date would mean midnight by accident (wire.md 3.3).
        found = datetime.fromisoformat(value) if len(value) > len("2026-12-01") else None
    except (TypeError, ValueError):
        found = None
    if found is None:
        raise BadRecurrence("start_time", "This must be a time such as 2026-12-01T06:30:00.")
    if not YEARS[0] <= found.year <= YEARS[1]:
        raise BadRecurrence("start_time", f"The year must be from {YEARS[0]} to {YEARS[1]}.")
    if found.tzinfo is not None:
        found = found.astimezone(zone).replace(tzinfo=None)
    return found.replace(microsecond=0)


def _numbers(name: str, values: object, highest: int, frequency: str) -> tuple[int, ...]:
    if not values and values in (None, [], ()):
        return ()
    if not isinstance(values, list | tuple):
        raise BadRecurrence(name, "This must be a list of whole numbers.")
    if frequency not in ("Day", "Week"):
        raise BadRecurrence(name, "This goes with the frequencies Day and Week only.")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= highest:
            raise BadRecurrence(name, f"Each must be a whole number from 0 to {highest}.")
    return tuple(sorted(set(values)))


def _week_days(values: object, frequency: str) -> tuple[str, ...]:
    if not values and values in (None, [], ()):
        return ()
    if not isinstance(values, list | tuple):
        raise BadRecurrence("week_days", "This must be a list of days.")
    if frequency != "Week":
        raise BadRecurrence("week_days", "This goes with the frequency Week only.")
    if not all(day in WEEK_DAYS for day in values):
        raise BadRecurrence("week_days", f"Each must be one of {', '.join(WEEK_DAYS)}.")
    return tuple(sorted(set(values), key=WEEK_DAYS.index))

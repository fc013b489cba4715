"""When schedules fire: rhythm, the zone's wall clock and its jumps, and what is refused."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.recurrence import FREQUENCIES, WEEK_DAYS, BadRecurrence, Recurrence, windows_name, zone_of
from runs.wire.schedules import FIELD_NAMES, read_recurrence

CREATED = datetime(2026, 11, 22, 10, 7, 33, 500, tzinfo=UTC)
EASTERN = "Eastern Standard Time"


def rule(frequency, interval=1, start=None, zone=None, **times):
    given = {"frequency": frequency, "interval": interval, "start_time": start, "time_zone": zone}
    return Recurrence.parse(given | times, created_at=CREATED)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def upcoming(recurrence, after, count=3):
    return [f"{moment:%Y-%m-%dT%H:%M}" for moment in recurrence.upcoming(utc(after), count)]


@pytest.mark.parametrize(
    ("recurrence", "after", "expected"),
    [
        # The first ones of the SDK's own documentation.
        (
            rule("Minute", 15, "2020-01-13T12:55:00"),
            "2026-11-22T10:00",
            ["2026-11-22T10:10", "2026-11-22T10:25"],
        ),
        (
            rule("Hour", 1, "2020-01-13T12:55:00"),
            "2026-11-22T10:00",
            ["2026-11-22T10:55", "2026-11-22T11:55"],
        ),
        (
            rule("Month", 1, "2019-11-01T09:00:00"),
            "2026-11-22T10:00",
            ["2026-12-01T09:00", "2027-01-01T09:00"],
        ),
        (
            rule(
                "Week",
                2,
                "2026-11-02T00:00:00",
                hours=[18],
                minutes=[30],
                week_days=["Monday", "Wednesday"],
            ),
            "2026-11-02T00:00",
            ["2026-11-02T18:30", "2026-11-04T18:30", "2026-11-16T18:30"],
        ),
        # Without times of its own, a rule keeps those of its start.
        (rule("Day", 3, "2026-11-01T07:45:10"), "2026-11-05T00:00", ["2026-11-07T07:45"]),
        (rule("Week", 1, "2026-11-04T07:45:00"), "2026-11-05T00:00", ["2026-11-11T07:45"]),
        (rule("Day", hours=[6, 18]), "2026-11-23T00:00", ["2026-11-23T06:00", "2026-11-23T18:00"]),
        (
            rule("Day", start="2026-11-01T05:00:00", minutes=[0, 20]),
            "2026-11-23T00:00",
            ["2026-11-23T05:00", "2026-11-23T05:20", "2026-11-24T05:00"],
        ),
        # The 31st of a shorter month is its last day, February's included.
        (
            rule("Month", 1, "2027-12-31T08:00:00"),
            "2028-01-31T08:00",
            ["2028-02-29T08:00", "2028-03-31T08:00", "2028-04-30T08:00"],
        ),
        (
            rule("Month", 5, "2026-08-30T08:00:00"),
            "2026-09-01T00:00",
            ["2027-01-30T08:00", "2027-06-30T08:00"],
        ),
    ],
)
def test_it_fires_in_its_rhythm(recurrence, after, expected):
    assert upcoming(recurrence, after, len(expected)) == expected


def test_a_start_in_the_future_never_fires_before_it():
    for frequency in FREQUENCIES:
        recurrence = rule(frequency, 2, "2027-03-03T12:00:00", "Tokyo Standard Time")
        assert recurrence.next_after(CREATED) == utc("2027-03-03T03:00")


def test_a_start_that_fits_the_given_times_is_not_itself_one():
    at_start = rule("Day", 1, "2027-03-03T12:00:00", hours=[12], minutes=[0])
    assert at_start.next_after(CREATED) == utc("2027-03-04T12:00")


def test_without_a_start_it_starts_when_it_was_created():
    recurrence = rule("Hour", 12)
    assert recurrence.starts_at == CREATED.replace(microsecond=0)
    assert upcoming(recurrence, "2026-11-22T10:08", 1) == ["2026-11-22T22:07"]


def test_a_start_with_an_offset_means_that_moment():
    assert rule("Day", 1, "2026-12-01T00:00:00Z", "Korea Standard Time").start.hour == 9
    assert rule("Day", 1, "2026-12-01T00:00:00.1234567").start == datetime(2026, 12, 1)  # noqa: DTZ001


def test_days_follow_the_clock_on_the_wall():
    daily = rule("Day", 1, "2026-10-30T09:00:00", EASTERN)  # clocks go back on November 1
    assert upcoming(daily, "2026-10-30T00:00") == [
        "2026-10-30T13:00",
        "2026-10-31T13:00",
        "2026-11-01T14:00",
    ]


def test_a_time_that_does_not_exist_fires_once_and_later():
    daily = rule("Day", 1, "2026-03-07T00:00:00", EASTERN, hours=[2, 3], minutes=[30])
    assert upcoming(daily, "2026-03-08T00:00", 4) == [
        "2026-03-08T07:30",  # 02:30 does not exist on March 8: 03:30, which is due itself
        "2026-03-09T06:30",
        "2026-03-09T07:30",
        "2026-03-10T06:30",
    ]
    overtaken = rule("Day", 1, "2026-03-07T00:00:00", EASTERN, hours=[2, 3], minutes=[0, 45])
    assert upcoming(overtaken, "2026-03-08T06:00", 3) == [
        "2026-03-08T07:00",
        "2026-03-08T07:45",
        "2026-03-09T06:00",
    ]


def test_a_time_that_comes_twice_fires_once():
    daily = rule("Day", 1, "2026-10-30T01:30:00", EASTERN)
    assert upcoming(daily, "2026-11-01T00:00", 2) == ["2026-11-01T05:30", "2026-11-02T06:30"]


def test_minutes_and_hours_count_elapsed_time_through_a_jump():
    often = rule("Minute", 30, "2026-10-30T00:00:00", EASTERN)
    moments = often.upcoming(utc("2026-11-01T04:00"), 8)
    assert {later - earlier for earlier, later in pairwise(moments)} == {timedelta(minutes=30)}


def test_an_old_start_is_not_counted_up_from():
    for frequency in FREQUENCIES:
        assert rule(frequency, 1, "1970-01-01T00:00:00").next_after(CREATED) > CREATED


def test_where_the_calendar_ends_there_is_no_next():
    assert rule("Month", 100_000).next_after(CREATED) is None
    assert rule("Week", 100_000).upcoming(CREATED, 9) != []


@settings(max_examples=60, deadline=None)
@given(
    frequency=st.sampled_from(FREQUENCIES),
    interval=st.integers(1, 40),
    start=st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
    zone=st.sampled_from(
        ["UTC", EASTERN, "Lord_Howe", "Kathmandu", "Samoa Standard Time", "Asia/Seoul"]
    ),
    moment=st.datetimes(datetime(2010, 1, 1), datetime(2029, 1, 1)),  # noqa: DTZ001
)
def test_moments_only_grow_and_the_next_does_not_depend_on_where_one_asks(
    frequency, interval, start, zone, moment
):
    zone = {"Lord_Howe": "Australia/Lord_Howe", "Kathmandu": "Asia/Kathmandu"}.get(zone, zone)
    recurrence = Recurrence(frequency, interval, start.replace(microsecond=0), zone)
    moments = list(islice(recurrence.times_after(moment.replace(tzinfo=UTC)), 4))
    assert all(earlier < later for earlier, later in pairwise(moments))
    assert all(found >= recurrence.starts_at for found in moments)
    for earlier, later in pairwise(moments):
        assert recurrence.next_after(earlier) == later


@pytest.mark.parametrize(
    ("wire", "key"),
    [
        ({}, "Frequency"),
        ({"Frequency": "Year"}, "Frequency"),
        ({"Frequency": True}, "Frequency"),
        ({"Frequency": "Day", "Interval": 0}, "Interval"),
        ({"Frequency": "Day", "Interval": 1.5}, "Interval"),
        ({"Frequency": "Day", "Interval": "1_0"}, "Interval"),
        ({"Frequency": "Day", "Interval": 10**12}, "Interval"),
        ({"Frequency": "Day", "StartTime": "tomorrow"}, "StartTime"),
        ({"Frequency": "Day", "StartTime": "2026-12-01"}, "StartTime"),
        ({"Frequency": "Day", "StartTime": 7}, "StartTime"),
        ({"Frequency": "Day", "StartTime": "0001-01-01T00:00:00"}, "StartTime"),
        ({"Frequency": "Day", "TimeZone": "Middle Earth"}, "TimeZone"),
        ({"Frequency": "Day", "TimeZone": "../UTC"}, "TimeZone"),
        ({"Frequency": "Day", "TimeZone": ["UTC"]}, "TimeZone"),
        ({"Frequency": "Day", "Schedule": {"Hours": 6}}, "Hours"),
        ({"Frequency": "Day", "Schedule": {"Hours": [24]}}, "Hours"),
        ({"Frequency": "Day", "Schedule": {"Minutes": [True]}}, "Minutes"),
        ({"Frequency": "Hour", "Schedule": {"Minutes": [5]}}, "Minutes"),
        ({"Frequency": "Week", "Schedule": {"WeekDays": ["Someday"]}}, "WeekDays"),
        ({"Frequency": "Day", "Schedule": {"WeekDays": ["Monday"]}}, "WeekDays"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(wire, key):
    with pytest.raises(BadRecurrence) as refused:
        Recurrence.parse(read_recurrence(wire), created_at=CREATED)
    assert FIELD_NAMES[refused.value.field] == f"Recurrence.{key}"


def test_numbers_of_old_and_any_case_are_read():
    wire = {"frequency": "1", "interval": "2", "Schedule": {"WeekDays": ["0", 4], "hours": None}}
    recurrence = Recurrence.parse(read_recurrence(wire), created_at=CREATED)
    assert (recurrence.frequency, recurrence.interval) == ("Week", 2)
    assert recurrence.week_days == ("Monday", "Friday")


# Every name of the SDK's enumeration, of which Windows itself no longer has some.
OF_THE_SDK = """
Dateline Standard Time; UTC-11; Aleutian Standard Time; Hawaiian Standard Time; Marquesas
Standard Time; Alaskan Standard Time; UTC-09; Pacific Standard Time (Mexico); UTC-08; Pacific
Standard Time; US Mountain Standard Time; Mountain Standard Time (Mexico); Mountain Standard
Time; Central America Standard Time; Central Standard Time; Easter Island Standard Time; Central
Standard Time (Mexico); Canada Central Standard Time; SA Pacific Standard Time; Eastern Standard
Time (Mexico); Eastern Standard Time; Haiti Standard Time; Cuba Standard Time; US Eastern
Standard Time; Paraguay Standard Time; Atlantic Standard Time; Venezuela Standard Time; Central
Brazilian Standard Time; SA Western Standard Time; Pacific SA Standard Time; Turks And Caicos
Standard Time; Newfoundland Standard Time; Tocantins Standard Time; E. South America Standard
Time; SA Eastern Standard Time; Argentina Standard Time; Greenland Standard Time; Montevideo
Standard Time; Saint Pierre Standard Time; Bahia Standard Time; UTC-02; Mid-Atlantic Standard
Time; Azores Standard Time; Cape Verde Standard Time; UTC; Morocco Standard Time; GMT Standard
Time; Greenwich Standard Time; W. Europe Standard Time; Central Europe Standard Time; Romance
Standard Time; Central European Standard Time; W. Central Africa Standard Time; Namibia Standard
Time; Jordan Standard Time; GTB Standard Time; Middle East Standard Time; Egypt Standard Time;
E. Europe Standard Time; Syria Standard Time; West Bank Standard Time; South Africa Standard
Time; FLE Standard Time; Turkey Standard Time; Israel Standard Time; Kaliningrad Standard Time;
Libya Standard Time; Arabic Standard Time; Arab Standard Time; Belarus Standard Time; Russian
Standard Time; E. Africa Standard Time; Iran Standard Time; Arabian Standard Time; Astrakhan
Standard Time; Azerbaijan Standard Time; Russia Time Zone 3; Mauritius Standard Time; Georgian
Standard Time; Caucasus Standard Time; Afghanistan Standard Time; West Asia Standard Time;
Ekaterinburg Standard Time; Pakistan Standard Time; India Standard Time; Sri Lanka Standard
Time; Nepal Standard Time; Central Asia Standard Time; Bangladesh Standard Time; N. Central Asia
Standard Time; Myanmar Standard Time; SE Asia Standard Time; Altai Standard Time; W. Mongolia
Standard Time; North Asia Standard Time; Tomsk Standard Time; China Standard Time; North Asia
East Standard Time; Singapore Standard Time; W. Australia Standard Time; Taipei Standard Time;
Ulaanbaatar Standard Time; North Korea Standard Time; Aus Central W. Standard Time; Transbaikal
Standard Time; Tokyo Standard Time; Korea Standard Time; Yakutsk Standard Time; Cen. Australia
Standard Time; AUS Central Standard Time; E. Australia Standard Time; AUS Eastern Standard Time;
West Pacific Standard Time; Tasmania Standard Time; Vladivostok Standard Time; Lord Howe
Standard Time; Bougainville Standard Time; Russia Time Zone 10; Magadan Standard Time; Norfolk
Standard Time; Sakhalin Standard Time; Central Pacific Standard Time; Russia Time Zone 11; New
Zealand Standard Time; UTC+12; Fiji Standard Time; Kamchatka Standard Time; Chatham Islands
Standard Time; Tonga Standard Time; Samoa Standard Time; Line Islands Standard Time
"""


def test_every_zone_of_the_sdk_and_iana_names_are_zones():
    names = " ".join(OF_THE_SDK.split()).split("; ")
    assert len(names) == 131
    for name in (*names, "Asia/Seoul", "America/Argentina/Buenos_Aires"):
        assert zone_of(name)
        if "/" not in name:
            assert windows_name(name) == name


def test_the_sdk_gets_its_own_names():
    assert windows_name("Asia/Seoul") == "Korea Standard Time"
    assert windows_name("America/New_York") == EASTERN
    assert windows_name(EASTERN) == EASTERN


@pytest.mark.parametrize(
    ("recurrence", "words"),
    [
        (
            rule("Week", 2, zone=EASTERN, hours=[6], minutes=[30], week_days=["Friday", "Monday"]),
            "Every 2 weeks on Monday and Friday at 06:30, Eastern Time",
        ),
        (rule("Minute", 1), "Every minute, UTC"),
        (rule("Hour", 12), "Every 12 hours, UTC"),
        (rule("Day", hours=[6, 18]), "Every day at 06:00 and 18:00, UTC"),
        (rule("Day", hours=list(range(9))), "Every day 9 times a day, UTC"),
        (
            rule("Month", 1, "2026-01-31T09:00:00"),
            "Every month on day 31, or the last one at 09:00, UTC",
        ),
        (
            rule("Week", week_days=list(WEEK_DAYS[:3]), hours=[5]),
            "Every week on Monday, Tuesday and Wednesday at 05:00, UTC",
        ),
    ],
)
def test_it_can_be_said_in_words(recurrence, words):
    assert recurrence.words() == words

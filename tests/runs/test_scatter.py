"""The chart of durations: its units, and that every point is inside."""

from datetime import UTC, datetime, timedelta

import pytest

from runs.parts.scatter import MOST_STEPS, scatter, step_for

START = datetime(2026, 11, 22, 9, tzinfo=UTC)


def after(minutes: float, seconds: float):
    return START + timedelta(minutes=minutes), seconds


@pytest.mark.parametrize(
    ("longest", "step"),
    [
        (0.0, 0.001),
        (0.3, 0.1),
        (4.27, 2),
        (40, 10),
        (100, 30),
        (600, 300),
        (3000, 900),
        (20_000, 7200),
        (3 * 86400, 86400),
        (400 * 86400, 100 * 86400),
    ],
)
def test_lines_stand_at_round_times(longest, step):
    assert step_for(longest) == step
    assert longest <= step * MOST_STEPS


def test_seconds_stay_seconds():
    """The captured original labelled milliseconds as seconds."""
    drawn = scatter([after(0, 30), after(10, 60)])
    assert [seconds for _y, seconds in drawn.ticks] == [0, 15, 30, 45, 60]
    assert drawn.points == [("0.00%", "50.00%"), ("100.00%", "0.00%")]


def test_one_run_stands_in_the_middle_and_none_draw_nothing():
    assert scatter([after(0, 3)]).points[0][0] == "50.00%"
    assert scatter([]).points == ()


def test_every_point_is_inside_whatever_the_clocks_say():
    drawn = scatter([after(5, -0.2), after(1, 0), after(90, 1e7)])
    for x, y in drawn.points:
        assert 0 <= float(x[:-1]) <= 100
        assert 0 <= float(y[:-1]) <= 100

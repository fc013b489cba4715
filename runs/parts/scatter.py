"""A chart of durations over start times, as data for `_durations.html`. Pure numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count

MOST_STEPS = 4  # lines above zero
MINUTE, HOUR, DAY = 60, 3600, 86400
# Round distances between lines, in this unit of time.
_BELOW_A_DAY = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
)


@dataclass(frozen=True)
class Scatter:
    """Positions are percentages of the plot, y from its top; `ticks` are (y, seconds)."""

    points: Sequence[tuple[str, str]]
    ticks: Sequence[tuple[str, float]]


def scatter(runs: Sequence[tuple[datetime, float]]) -> Scatter:
    """`runs` are starts and seconds. The axis begins at zero, so that heights can be compared."""
    if not runs:
        return Scatter((), ())
    step = step_for(max(seconds for _start, seconds in runs))
    top = step
    while top < max(seconds for _start, seconds in runs):
        top += step
    first, last = min(start for start, _ in runs), max(start for start, _ in runs)
    span = (last - first).total_seconds()
    points = [
        (_percent((start - first).total_seconds() / span if span else 0.5), _height(seconds, top))
        for start, seconds in runs
    ]
    ticks = [
        (_height(number * step, top), number * step) for number in range(round(top / step) + 1)
    ]
    return Scatter(points, ticks)


def step_for(longest: float) -> float:
    """The smallest distance that needs at most MOST_STEPS lines."""
    days = (factor * DAY * 10**power for power in count() for factor in (1, 2, 5))
    return next(step for step in chain(_BELOW_A_DAY, days) if step * MOST_STEPS >= longest)


def _height(seconds: float, top: float) -> str:
    return _percent(1 - min(1.0, max(0.0, seconds) / top))


def _percent(share: float) -> str:
    return f"{share * 100:.2f}%"

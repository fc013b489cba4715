"""Small line charts of a metric's columns."""

import math

MOST_POINTS = 200  # more could not be seen in such a small drawing
WIDTH, HEIGHT, EDGE = 100, 40, 2


def of_columns(columns: list[str], points: list[dict]) -> list[dict]:
    """A chart for each numeric column with at least two values."""
    found = []
    for column in columns:
        numbers = [
            (at, value)
            for at, value in enumerate(map(_number, _of(points, column)))
            if value is not None
        ]
        if len(numbers) > 1:
            found.append(
                {
                    "label": column,
                    "points": _line(_thinned(numbers)),
                    "first": f"{numbers[0][1]:g}",
                    "last": f"{numbers[-1][1]:g}",
                }
            )
    return found


def _of(points: list[dict], column: str) -> list:
    return [point.get(column) for point in points]


def _number(value) -> float | None:
    """The number for the chart. NaN and infinities are gaps in the line; the table shows them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _thinned(numbers: list[tuple]) -> list[tuple]:
    every = math.ceil(len(numbers) / MOST_POINTS)
    return numbers[::every] if numbers[-1] in numbers[::every] else [*numbers[::every], numbers[-1]]


def _line(numbers: list[tuple]) -> str:
    low, high = min(value for _at, value in numbers), max(value for _at, value in numbers)
    start, end = numbers[0][0], numbers[-1][0]
    unit = max(abs(low), abs(high)) or 1.0  # so that no difference overflows
    low, span = low / unit, (high / unit - low / unit) or 1.0
    room = HEIGHT - 2 * EDGE
    return " ".join(
        f"{WIDTH * (at - start) / (end - start):.1f},{HEIGHT - EDGE - room * (value / unit - low) / span:.1f}"
        for at, value in numbers
    )

"""Seek paging for histories: the first page and the twenty-thousandth cost the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core import paginator
from django.db.models import QuerySet
from django.http import QueryDict

SIZES = (10, 25, 50, 100)


def size_of(text: Any, *, default: int) -> int:
    """The page size from `?size=`; the default if it is not one of those offered."""
    return int(text) if str(text) in map(str, SIZES) else default


def numbered(rows: QuerySet[Any], asked: QueryDict) -> paginator.Page[Any]:
    """A page of a catalogue, from `?page=` and `?size=`. Its rows are read here, not by a
    template."""
    size = size_of(asked.get("size"), default=25)
    page = paginator.Paginator(rows, size).get_page(asked.get("page"))
    page.object_list = list(page.object_list)
    return page


@dataclass(frozen=True)
class Page:
    """One page, newest first. `older` and `newer` are ids for `?before=` and `?after=`, or None."""

    items: Sequence[Any]
    older: int | None
    newer: int | None
    size: int

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def paginate(
    queryset: QuerySet[Any, Any],
    *,
    before: int | None = None,
    after: int | None = None,
    size: int = 50,
) -> Page:
    """One page of `queryset`, newest first by its ever-growing `pk`.

    One row more than the page is fetched to know whether there is another; nothing is counted.
    """
    if after is not None:
        rows = list(queryset.filter(pk__gt=after).order_by("pk")[: size + 1])
        more_newer, rows = len(rows) > size, rows[:size][::-1]
        more_older = bool(rows)
    else:
        if before is not None:
            queryset = queryset.filter(pk__lt=before)
        rows = list(queryset.order_by("-pk")[: size + 1])
        more_older, rows = len(rows) > size, rows[:size]
        more_newer = before is not None
    return Page(
        items=rows,
        older=rows[-1].pk if rows and more_older else None,
        newer=rows[0].pk if rows and more_newer else None,
        size=size,
    )

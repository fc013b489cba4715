"""Rows of the two catalogue lists, and how each one's last runs ended."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat, Lower

from endpoints.models import EndpointVersion, PipelineEndpoint, PublishedPipeline
from runs.models import Run
from studio.core.access import Actor
from studio.core.db.keyset import size_of
from studio.core.favourites import starred

SPARK = 10
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# Values of `?sort=` and their columns; times default to newest first.
SORTS = {
    # Favourites first, then the others, each by name.
    "starred": Concat(Case(When(starred=True, then=Value("0")), default=Value("1")), Lower("name")),
    "name": Lower("name"),
    "submitted": Coalesce("last_at", Value(NEVER)),
    "last_status": Coalesce("last_status", Value("")),
    "updated": F("updated_at"),
    "status": F("status"),
}


@dataclass
class Row:
    """A row of a catalogue: an endpoint or a published pipeline."""

    item: Any  # PipelineEndpoint or PublishedPipeline, annotated below
    is_endpoint: bool
    starred: bool
    runs: list[Run] = field(default_factory=list)  # the last ten, oldest first

    @property
    def last_run(self) -> Run | None:
        return self.runs[-1] if self.runs else None

    @property
    def spark(self) -> list[dict]:
        return [{"status": run.status, "label": f"{run}: {run.status}"} for run in self.runs]


def endpoints_of(actor: Actor):
    rows = PipelineEndpoint.objects.filter(workspace=actor.workspace)
    return _with_last_run(rows, "endpoint").annotate(starred=starred(actor))


def pipelines_of(actor: Actor):
    rows = PublishedPipeline.objects.filter(workspace=actor.workspace)
    return _with_last_run(rows, "pipeline").annotate(starred=starred(actor))


def singles_of(actor: Actor):
    """Published pipelines that are in no endpoint; they have their own row in the list of
    endpoints."""
    return pipelines_of(actor).filter(endpoint_versions=None)


def favourites_of(actor: Actor) -> Page:
    """The actor's favourites, by name."""
    marked = [rows.filter(starred=True) for rows in (endpoints_of(actor), pipelines_of(actor))]
    return page_of(marked, sort="name", number=1, size=25)


def _runs_of(column: str):
    return Run.objects.filter(**{column: OuterRef("pk")}).order_by("-pk")


def _with_last_run(queryset, column: str):
    last = _runs_of(column)
    return queryset.annotate(
        last_status=Subquery(last.values("status")[:1]),
        last_at=Subquery(last.values("created_at")[:1]),
    )


def page_of(querysets: Sequence, *, sort: str, number, size) -> Page:
    """One page of `Row`s from several querysets, sorted together, in a fixed number of queries."""
    column = SORTS[sort.removeprefix("-")]
    keys = [
        queryset.annotate(
            is_endpoint=Value(int(queryset.model is PipelineEndpoint)), sort_by=column
        )
        .order_by()
        .values_list("is_endpoint", "pk", "starred", "sort_by")
        for queryset in querysets
    ]
    sign = "-" if sort.startswith("-") else ""
    merged = keys[0].union(*keys[1:], all=True) if keys[1:] else keys[0]
    ordered = merged.order_by(f"{sign}sort_by", "-is_endpoint", f"{sign}pk")
    page = Paginator(ordered, size_of(size, default=25)).get_page(number)
    page.object_list = _rows([(bool(key[0]), key[1], bool(key[2])) for key in page.object_list])
    return page


def _rows(keys: list[tuple[bool, int, bool]]) -> list[Row]:
    found: dict[bool, Mapping[int, Any]] = {
        True: _endpoints([pk for is_endpoint, pk, _starred in keys if is_endpoint]),
        False: _pipelines([pk for is_endpoint, pk, _starred in keys if not is_endpoint]),
    }
    rows = [
        Row(found[is_endpoint][pk], is_endpoint, is_starred)
        for is_endpoint, pk, is_starred in keys
        if pk in found[is_endpoint]
    ]
    _add_runs(rows)
    return rows


def _endpoints(pks: list[int]) -> dict[int, PipelineEndpoint]:
    rows = PipelineEndpoint.objects.filter(pk__in=pks).select_related("default_version__pipeline")
    counted = rows.annotate(version_count=Count("versions"), tenth=_tenth("endpoint"))
    return {row.pk: row for row in counted}


def _pipelines(pks: list[int]) -> dict[int, PublishedPipeline]:
    places = EndpointVersion.objects.filter(pipeline=OuterRef("pk")).order_by("-pk")
    rows = PublishedPipeline.objects.filter(pk__in=pks).annotate(
        endpoint_name=Subquery(places.values("endpoint__name")[:1]),
        endpoint_uuid=Subquery(places.values("endpoint__uuid")[:1]),
        endpoint_version=Subquery(places.values("number")[:1]),
        tenth=_tenth("pipeline"),
    )
    return {row.pk: row for row in rows}


def _tenth(column: str) -> Subquery:
    """The key of the tenth newest run: one step along the index per row of the page."""
    return Subquery(_runs_of(column).values("pk")[SPARK - 1 : SPARK])


def _add_runs(rows: list[Row]) -> None:
    """Add the last ten runs to every row, in one query."""
    wanted = Q()
    for row in rows:
        column = "endpoint_id" if row.is_endpoint else "pipeline_id"
        wanted |= Q(**{column: row.item.pk, "pk__gte": row.item.tenth or 0})
    if not rows:
        return
    shown = Run.objects.filter(wanted).order_by("pk")
    shown = shown.only(
        "uuid", "status", "name", "display_name", "created_at", "endpoint_id", "pipeline_id"
    )
    of: dict[tuple[bool, int], list[Run]] = defaultdict(list)
    for run in shown:
        of[True, run.endpoint_id].append(run)
        of[False, run.pipeline_id].append(run)
    for row in rows:
        row.runs = of[row.is_endpoint, row.item.pk][-SPARK:]

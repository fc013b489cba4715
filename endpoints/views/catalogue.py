"""What the two catalogue lists show: which rows there are, and how each one's last runs ended."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Lower

from endpoints.models import EndpointVersion, PipelineEndpoint, PublishedPipeline
from runs.models import Run
from studio.core.keyset import size_of
from studio.core.models import Workspace

SPARK = 10
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# What a `?sort=` may name, and the column it means; times are newest first when nobody says else.
SORTS = {
    "name": Lower("name"),
    "submitted": Coalesce("last_at", Value(NEVER)),
    "last_status": Coalesce("last_status", Value("")),
    "updated": F("updated_at"),
    "status": F("status"),
}


@dataclass
class Row:
    """One line of a catalogue: an endpoint, or a published pipeline."""

    item: PipelineEndpoint | PublishedPipeline
    is_endpoint: bool
    runs: list[Run] = field(default_factory=list)  # the last ten, oldest first

    @property
    def last_run(self) -> Run | None:
        return self.runs[-1] if self.runs else None

    @property
    def spark(self) -> list[dict]:
        return [{"status": run.status, "label": f"{run}: {run.status}"} for run in self.runs]


def endpoints_in(workspace: Workspace):
    return _with_last_run(PipelineEndpoint.objects.filter(workspace=workspace), "endpoint")


def pipelines_in(workspace: Workspace):
    rows = PublishedPipeline.objects.filter(workspace=workspace)
    return _with_last_run(rows, "pipeline")


def singles_in(workspace: Workspace):
    """Published pipelines that no endpoint holds: their own row in the list of endpoints."""
    return pipelines_in(workspace).filter(endpoint_versions=None)


def _runs_of(column: str):
    return Run.objects.filter(**{column: OuterRef("pk")}).order_by("-pk")


def _with_last_run(queryset, column: str):
    last = _runs_of(column)
    return queryset.annotate(
        last_status=Subquery(last.values("status")[:1]),
        last_at=Subquery(last.values("created_at")[:1]),
    )


def page_of(querysets: Sequence, *, sort: str, number, size) -> Page:
    """One page of `Row`s out of several querysets, sorted together; the count of queries is fixed."""
    column = SORTS[sort.removeprefix("-")]
    keys = [
        queryset.annotate(
            is_endpoint=Value(int(queryset.model is PipelineEndpoint)), sort_by=column
        )
        .order_by()
        .values_list("is_endpoint", "pk", "sort_by")
        for queryset in querysets
    ]
    sign = "-" if sort.startswith("-") else ""
    merged = keys[0].union(*keys[1:], all=True) if keys[1:] else keys[0]
    ordered = merged.order_by(f"{sign}sort_by", "is_endpoint", f"{sign}pk")
    page = Paginator(ordered, size_of(size, default=25)).get_page(number)
    page.object_list = _rows([(bool(key[0]), key[1]) for key in page.object_list])
    return page


def _rows(keys: list[tuple[bool, int]]) -> list[Row]:
    found = {
        True: _endpoints([pk for is_endpoint, pk in keys if is_endpoint]),
        False: _pipelines([pk for is_endpoint, pk in keys if not is_endpoint]),
    }
    rows = [
        Row(found[is_endpoint][pk], is_endpoint)
        for is_endpoint, pk in keys
        if pk in found[is_endpoint]
    ]
    _add_runs(rows)
    return rows


def _endpoints(pks: list[int]) -> dict[int, PipelineEndpoint]:
    rows = PipelineEndpoint.objects.filter(pk__in=pks).select_related("default_version__pipeline")
    rows = rows.annotate(version_count=Count("versions"), tenth=_tenth("endpoint"))
    return {row.pk: row for row in rows}


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
    """Where the last ten begin: one step along the index for each row of the page."""
    return Subquery(_runs_of(column).values("pk")[SPARK - 1 : SPARK])


def _add_runs(rows: list[Row]) -> None:
    """The last ten runs of every row, in one query."""
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

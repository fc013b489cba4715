"""Filters of the list of runs. Status, experiment, endpoint, schedule and attributes have an index
in the order of the list; other filters, and searches for a name or number, examine rows one by one,
newest first."""

import re
from datetime import timedelta
from itertools import islice
from uuid import UUID

import django_filters
from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from endpoints.models import PipelineEndpoint
from runs.models import Experiment, Run, RunAttribute, Schedule, Source
from runs.states import Status
from studio.core.db import keyset
from studio.core.db.folded import fold

SUBMITTED = {
    "hour": (_("Last hour"), timedelta(hours=1)),
    "day": (_("Last 24 hours"), timedelta(days=1)),
    "week": (_("Last 7 days"), timedelta(days=7)),
    "month": (_("Last 30 days"), timedelta(days=30)),
}
ATTRIBUTES = {"param": "parameter", "parameter": "parameter", "tag": "tag"}
SELECTS = ("experiment", "endpoint", "source", "submitted")
NAMED = {"experiment": Experiment, "endpoint": PipelineEndpoint, "schedule": Schedule}
MOST_SIGNS = 10  # most `=` in a search: each may separate name and value
OFFERED = 200  # the newest experiments and endpoints are offered; others have links to their runs
NUMBER = re.compile(r"(?:run\s+)?#?(\d{1,9})", re.IGNORECASE | re.ASCII)  # as in "Run 148"


class RunFilter(django_filters.FilterSet):
    """`statuses` are applied by `page`, which needs a query for each."""

    q = django_filters.CharFilter(method="search", label=_("Search"))
    status = django_filters.MultipleChoiceFilter(
        choices=Status.choices, method="unchanged", label=_("Status")
    )
    experiment = django_filters.ModelChoiceFilter(
        queryset=Experiment.objects.none(), to_field_name="uuid", label=_("Experiment")
    )
    endpoint = django_filters.ModelChoiceFilter(
        queryset=PipelineEndpoint.objects.none(), to_field_name="uuid", label=_("Endpoint")
    )
    # Not offered in the form; the page of a schedule links here.
    schedule = django_filters.ModelChoiceFilter(
        queryset=Schedule.objects.none(), to_field_name="uuid", label=_("Schedule")
    )
    source = django_filters.ChoiceFilter(
        field_name="pipeline_run__source", choices=Source.choices, label=_("Source")
    )
    submitted = django_filters.ChoiceFilter(
        choices=[(key, label) for key, (label, _span) in SUBMITTED.items()],
        method="since",
        label=_("Submitted"),
    )

    class Meta:
        model = Run
        fields: list[str] = []

    def __init__(self, data, runs, *, workspace):
        data = data.copy()
        # The list's own select also sends an empty value. Unknown statuses are ignored, as
        # elsewhere.
        data.setlist("status", [word for word in data.getlist("status") if word in Status.values])
        super().__init__(data, runs)
        for name, model in NAMED.items():
            rows = model._default_manager.filter(workspace=workspace).only("uuid", "name")
            self.filters[name].queryset = rows
            self.filters[name].field.widget = forms.Select()
        self.offered = {name: self._offered(name) for name in SELECTS}
        self.offered["schedule"] = [(str(row.uuid), row.name) for row in self._chosen("schedule")]

    def _offered(self, name) -> list[tuple[str, str]]:
        """Values and labels of the choices, read here so that no template queries them."""
        if name not in ("experiment", "endpoint"):
            return [choice for choice in self.form.fields[name].choices if choice[0]]
        rows = self.filters[name].queryset
        if name == "experiment":
            rows = rows.filter(archived_at=None)
        rows = set(rows.order_by("-pk")[:OFFERED])
        rows |= self._chosen(name)  # the chosen one is offered even if it is old or archived
        return [(str(row.uuid), row.name) for row in sorted(rows, key=lambda row: row.name)]

    def _chosen(self, name) -> set:
        return set() if self.form.errors.get(name) else {self.form.cleaned_data[name]} - {None}

    @property
    def statuses(self) -> list[str]:
        return list(dict.fromkeys(self.data.getlist("status")))

    def unchanged(self, runs, name, value):
        return runs

    def since(self, runs, name, value):
        return runs.filter(created_at__gte=timezone.now() - SUBMITTED[value][1])

    def search(self, runs, name, value):
        """A run's id or number, `param:lr=0.01`, `tag:team=growth`, or a part of its name."""
        kind, colon, rest = value.strip().partition(":")
        if colon and kind in ATTRIBUTES:
            return runs.filter(pk__in=_with_attribute(ATTRIBUTES[kind], rest))
        try:
            return runs.filter(uuid=UUID(value.strip()))
        except ValueError:
            text = value.strip()
        wanted = Q(folded__contains=fold(text))
        if number := NUMBER.fullmatch(text):
            wanted |= Q(number=int(number[1]))
        return runs.filter(wanted)


def _with_attribute(kind: str, text: str):
    """Runs by a name alone, or by name=value. A name may contain `=`, so the value may begin at any
    of the first ones."""
    text = text.strip()
    wanted = Q(key=text)
    for sign in islice(re.finditer("=", text), MOST_SIGNS):
        wanted |= Q(key=text[: sign.start()].strip(), value=text[sign.end() :].strip())
    return RunAttribute.objects.filter(wanted, kind=kind).values("run")


def page(runs, statuses, *, kinds=(), before=None, after=None, size=50) -> keyset.Page:
    """One page of runs of any of `kinds` in any of `statuses` (all by default): a keyed query for
    each, merged. `status IN (...)` would lose the order of the index and be a hundred times as
    slow."""
    cut = {"before": before, "after": after, "size": size}
    pages = [
        keyset.paginate(each, **cut)
        for rows in [runs.filter(kind=kind) for kind in kinds] or [runs]
        for each in rows.with_statuses(statuses)
    ]
    if len(pages) == 1:
        return pages[0]
    rows = sorted((row for each in pages for row in each), key=lambda row: -row.pk)
    kept = rows[:size] if after is None else rows[-size:]
    cut_off = len(rows) > size
    older = any(each.older is not None for each in pages) or (cut_off and after is None)
    newer = any(each.newer is not None for each in pages) or (cut_off and after is not None)
    return keyset.Page(
        items=kept,
        older=kept[-1].pk if kept and older else None,
        newer=kept[0].pk if kept and newer else None,
        size=size,
    )

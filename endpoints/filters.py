"""Filters of the catalogue lists. Endpoints and published pipelines share their columns."""

import django_filters
from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from endpoints.models import EntityStatus
from runs.states import Status
from studio.core.db.folded import fold

RUN_STATES = [(status.value, status.label) for status in Status if status != Status.SKIPPED]


class CatalogueFilter(django_filters.FilterSet):
    """Needs a queryset annotated with `last_status`. Unknown values in a query string are
    ignored."""

    q = django_filters.CharFilter(label=_("Search"), method="search", max_length=200)
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=EntityStatus.choices,
        empty_label=_("Status"),
        widget=forms.Select(attrs={"class": "pill", "aria-label": _("Status")}),
    )
    owner = django_filters.CharFilter(label=_("Owner"), field_name="created_by", max_length=150)
    last_status = django_filters.ChoiceFilter(
        label=_("Last run status"),
        choices=RUN_STATES,
        empty_label=_("Last run status"),
        widget=forms.Select(attrs={"class": "pill", "aria-label": _("Last run status")}),
    )
    include_disabled = django_filters.BooleanFilter(
        label=_("Include disabled"), method="with_disabled"
    )

    def search(self, queryset, name, value):
        """Searches name, id, owner, description and tags."""
        return queryset.filter(Q(folded__contains=fold(value)) | Q(uuid__icontains=value))

    def with_disabled(self, queryset, name, value):
        return queryset

    def filter_queryset(self, queryset):
        """Disabled rows are shown only when asked for."""
        found = super().filter_queryset(queryset)
        chosen = self.form.cleaned_data
        if chosen.get("include_disabled") or chosen.get("status"):
            return found
        return found.filter(status=EntityStatus.ACTIVE)

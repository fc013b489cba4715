"""The form that publishes a finished run."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from endpoints.models import PipelineEndpoint
from studio.core.errors import Reason
from studio.core.ui.forms import RefusableForm, TextArea

WHERE = [
    ("existing", _("Select existing")),
    ("new", _("Create new")),
    ("none", _("No endpoint: the pipeline alone")),
]


class PublishForm(RefusableForm):
    """`where` decides which of the two endpoint fields is used."""

    where = forms.ChoiceField(
        label=_("Pipeline endpoint"), choices=WHERE, widget=forms.RadioSelect, initial="existing"
    )
    endpoint = forms.ModelChoiceField(
        label=_("Existing endpoint"),
        queryset=PipelineEndpoint.objects.none(),
        to_field_name="uuid",
        required=False,
    )
    new_endpoint = forms.CharField(label=_("New endpoint name"), max_length=255, required=False)
    name = forms.CharField(label=_("Pipeline name"), max_length=255)
    description = forms.CharField(
        label=_("Description"), required=False, widget=TextArea(attrs={"rows": 3})
    )
    version = forms.CharField(label=_("Version"), max_length=100, required=False)
    set_default = forms.BooleanField(
        label=_("Set as default pipeline for this endpoint"), required=False
    )
    continue_on_step_failure = forms.BooleanField(
        label=_("Continue on step failure"), required=False
    )

    def __init__(self, *args, workspace, **kwargs):
        super().__init__(*args, **kwargs)
        rows = PipelineEndpoint.objects.filter(workspace=workspace).order_by("name")
        field: Any = self.fields["endpoint"]
        field.queryset = rows
        # Read here, so that the template does not query the database.
        named = list(rows.values_list("uuid", "name"))
        field.choices = [("", "---------"), *named]

    def clean(self):
        given = super().clean()
        where = given.get("where")
        if where == "existing" and not given.get("endpoint") and "endpoint" not in self.errors:
            self.add_error("endpoint", _("Select an endpoint, or create a new one."))
        if where == "new" and not given.get("new_endpoint") and "new_endpoint" not in self.errors:
            self.add_error("new_endpoint", _("A new endpoint needs a name."))
        return given

    def arguments(self) -> dict:
        """The arguments of `publish_run`, except the run."""
        given = dict(self.cleaned_data)
        where, endpoint = given.pop("where"), given.pop("endpoint")
        return given | {
            "endpoint": endpoint.name if where == "existing" else None,
            "new_endpoint": given["new_endpoint"] if where == "new" else None,
            "set_default": given["set_default"] and where != "none",
        }

    def field_of(self, reason: Reason) -> str | None:
        if reason.field == "name":  # the endpoint's: the form has checked the pipeline's own
            return "new_endpoint"
        return super().field_of(reason)

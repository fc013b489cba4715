"""A new pipeline from a zip; an Admin may give it the id it had elsewhere (wire.md 2.5)."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from studio.core.access import NEEDS, Actor
from studio.core.errors import Reason
from studio.core.ui.forms import RefusableForm, TextArea


class NewPipelineForm(RefusableForm):
    archive = forms.FileField(
        label=gettext_lazy("Zip of the source folder"),
        help_text=gettext_lazy("It contains pipeline.yml and the scripts that its steps run."),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("Empty: the name in the file."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=TextArea(attrs={"rows": 3})
    )
    version = forms.CharField(label=gettext_lazy("Version"), required=False, max_length=100)
    endpoint = forms.CharField(
        label=gettext_lazy("Pipeline endpoint"),
        required=False,
        max_length=255,
        help_text=gettext_lazy(
            "An endpoint of this name gets another version, or is created. Empty: no endpoint."
        ),
    )
    set_default = forms.BooleanField(
        label=gettext_lazy("Set as default pipeline for this endpoint"), required=False
    )
    uuid = forms.UUIDField(
        label=gettext_lazy("Old pipeline ID"),
        required=False,
        help_text=gettext_lazy("Callers that use it only have to change the host name."),
    )
    endpoint_uuid = forms.UUIDField(
        label=gettext_lazy("Old endpoint ID"),
        required=False,
        help_text=gettext_lazy("For an endpoint that this creates."),
    )

    def __init__(self, *args, actor: Actor, **more):
        super().__init__(*args, **more)
        self.actor = actor
        if not actor.may("administer"):
            for name in ("uuid", "endpoint_uuid"):
                self.fields[name].disabled = True
                self.fields[name].help_text = _("This needs the role %(role)s.") % {
                    "role": NEEDS["administer"].label
                }

    def arguments(self) -> dict:
        """The arguments of `publish_archive`."""
        given = self.cleaned_data
        texts = {name: given[name] or None for name in ("description", "version", "endpoint")}
        return given | texts | {"set_default": given["set_default"] and bool(given["endpoint"])}

    def field_of(self, reason: Reason) -> str | None:
        if reason.field == "name":  # the endpoint's: the form has checked the pipeline's own
            return "endpoint"
        return super().field_of(reason)

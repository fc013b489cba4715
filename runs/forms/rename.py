"""The form that renames a run."""

from django import forms
from django.utils.translation import gettext_lazy as _

from runs.models import Run
from studio.core.ui.forms import TextArea


class RenameForm(forms.Form):
    display_name = forms.CharField(
        label=_("Display name"), max_length=Run._meta.get_field("display_name").max_length
    )
    description = forms.CharField(
        label=_("Description"), required=False, widget=TextArea(attrs={"rows": 3})
    )

from django import forms
from django.utils.translation import gettext_lazy as _


class TokenForm(forms.Form):
    """What a person says of a new token; `endpoints` are the ones it may be bound to."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Who or what will use it."))
    days = forms.IntegerField(
        label=_("Days until it expires"), min_value=1, max_value=3650, initial=365
    )
    endpoint_uuid = forms.UUIDField(
        label=_("Only for one endpoint (its ID)"),
        required=False,
        help_text=_("Empty: the whole workspace, with your role."),
    )

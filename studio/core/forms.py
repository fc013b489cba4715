from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _


class TokenForm(forms.Form):
    """What a person says of a new token; `endpoints` (uuid → name) are the ones it may be bound to."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Who or what will use it."))
    days = forms.IntegerField(
        label=_("Days until it expires"), min_value=1, max_value=3650, initial=365
    )
    endpoint_uuid = forms.TypedChoiceField(
        label=_("What it opens"), required=False, coerce=UUID, empty_value=None
    )

    def __init__(self, data=None, *, endpoints, **more):
        super().__init__(data, **more)
        whole = ("", _("The workspace, with your role"))
        only = [
            (str(uuid), _("Only the endpoint %(name)s") % {"name": name})
            for uuid, name in endpoints.items()
        ]
        self.fields["endpoint_uuid"].choices = [whole, *only]

from django import forms
from django.utils.translation import gettext_lazy

from endpoints.models import PipelineEndpoint
from studio.core.ui.forms import RefusableForm, TextArea
from studio.core.ui.tags import TagsField


class EndpointForm(RefusableForm):
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=TextArea(attrs={"rows": 4})
    )
    tags = TagsField(
        label=gettext_lazy("Tags"),
        required=False,
        help_text=gettext_lazy("One per line: name = value."),
    )
    is_strict = forms.BooleanField(
        label=gettext_lazy("Strict: refuse calls with unknown parameters or loosely typed values"),
        required=False,
        help_text=gettext_lazy("Otherwise an unknown name is answered with a warning."),
    )
    is_public = forms.BooleanField(
        label=gettext_lazy("Public: anyone who knows the REST address may start runs without a token"),
        required=False,
        help_text=gettext_lazy("The number of calls per minute is limited."),
    )  # fmt: skip

    @classmethod
    def of(cls, endpoint: PipelineEndpoint, data=None):
        names = ("description", "tags", "is_strict", "is_public")
        return cls(data, initial={name: getattr(endpoint, name) for name in names})

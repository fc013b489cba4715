import re
from collections.abc import Mapping

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from studio.core.ui.forms import TextArea

SIGN = re.compile(r"\s=(?:\s|$)")


class TagsField(forms.CharField):
    """Tags as lines of `name = value`; a line without `=` is a name only. The first `=` between
    spaces separates the two, else the first one, because a name may contain `=`."""

    widget = TextArea(attrs={"rows": 3, "placeholder": "team = growth"})

    def prepare_value(self, value):
        if isinstance(value, Mapping):
            return "\n".join(
                f"{key} = {item}".rstrip() if item or "=" in key else key
                for key, item in value.items()
            )
        return value

    def to_python(self, value):
        pairs = [_parted(line) for line in (super().to_python(value) or "").splitlines()]
        found = {key.strip(): item.strip() for key, _sign, item in pairs if key.strip() or item}
        if "" in found:
            raise ValidationError(_("A tag needs a name before the =."))
        return found


def _parted(line: str) -> tuple[str, str, str]:
    sign = SIGN.search(line)
    return line.partition(sign[0] if sign else "=")

"""Forms of pages: a form that calls a service and shows its refusal."""

from collections.abc import Callable
from typing import TypeVar

from django import forms
from django.contrib import messages

from studio.core.errors import Reason, Refused, reasons_of, text_of
from studio.core.ui.decorators import record_refusal

T = TypeVar("T")


def with_line_feeds(text: str) -> str:
    """The text with LF as line ends; browsers send CRLF from forms."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class TextArea(forms.Textarea):
    """The widget for all texts of several lines; their line ends become LF."""

    def value_from_datadict(self, data, files, name):
        value = super().value_from_datadict(data, files, name)
        return with_line_feeds(value) if isinstance(value, str) else value


class RefusableForm(forms.Form):
    """A form for a service, whose refusal it shows: beside the field that the service names, else
    above the form. Bad input of no field is shown beside the field `otherwise`, if there is one."""

    def refuse(
        self, error: forms.ValidationError | Refused, *, otherwise: str | None = None
    ) -> None:
        if isinstance(error, Refused):
            otherwise = None
        for reason in reasons_of(error):
            self.add_error(self.field_of(reason) or otherwise, reason.text)

    def field_of(self, reason: Reason) -> str | None:
        return reason.field if reason.field in self.fields else None


def attempt(
    request, form: RefusableForm, act: Callable[[], T], *, otherwise: str | None = None
) -> T | None:
    """What `act` returns; or None, with the refusal of its service on the form."""
    try:
        return act()
    except (Refused, forms.ValidationError) as error:
        record_refusal(request, error)
        form.refuse(error, otherwise=otherwise)
        return None


def attempt_verb(request, act: Callable[[], T]) -> T | None:
    """`attempt` for a button without a form: bad input of an earlier day is a message of the next
    page. Any other refusal has a page of its own."""
    try:
        return act()
    except forms.ValidationError as error:
        record_refusal(request, error)
        messages.error(request, text_of(error))
        return None

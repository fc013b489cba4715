"""Decorators of views."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.views.decorators.http import require_http_methods

View = TypeVar("View", bound=Callable[..., Any])
# For a page with a form. HEAD is a GET without the body.
form_view = require_http_methods(["GET", "HEAD", "POST"])


def triggers(kind: str) -> Callable[[View], View]:
    """Mark a page whose POST starts a run of the `kind` of object that its address names; its
    refusals are recorded (see `Refusals`)."""

    def mark(view: View) -> View:
        view.triggers = kind  # type: ignore[attr-defined]  # read by `Refusals`
        return view

    return mark

"""What views are wrapped in."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.views.decorators.http import require_http_methods

View = TypeVar("View", bound=Callable[..., Any])
# A page with a form. HEAD is a GET without its body: a page that can be read can be asked about.
form_view = require_http_methods(["GET", "HEAD", "POST"])


def triggers(kind: str) -> Callable[[View], View]:
    """Of a page whose POST starts a run of the `kind` that its address names: what it refuses is on
    record (see `Refusals`)."""

    def mark(view: View) -> View:
        view.triggers = kind  # type: ignore[attr-defined]  # read by `Refusals`
        return view

    return mark

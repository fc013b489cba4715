"""Decorators of views, and what they mark."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.views.decorators.http import require_http_methods

from studio.core import audit
from studio.core.errors import Refused

View = TypeVar("View", bound=Callable[..., Any])
# For a page with a form. HEAD is a GET without the body.
form_view = require_http_methods(["GET", "HEAD", "POST"])


def triggers(kind: str) -> Callable[[View], View]:
    """Mark a page whose POST starts a run of the `kind` of object that its address names; its
    refusals are recorded."""

    def mark(view: View) -> View:
        view.triggers = kind  # type: ignore[attr-defined]  # read by `record_refusal`
        return view

    return mark


def record_refusal(request, error: Refused | ValidationError) -> None:
    """Record what a page refuses, if its view `triggers` runs."""
    match = request.resolver_match
    kind = getattr(match.func, "triggers", None)
    if kind is not None and request.method == "POST":
        audit.refuse_for(request.actor, error, kind=kind, uuid=match.kwargs["uuid"])

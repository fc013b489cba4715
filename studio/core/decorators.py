"""What views are wrapped in."""

from collections.abc import Callable

from django.views.decorators.http import require_http_methods

# A page with a form. HEAD is a GET without its body: a page that can be read can be asked about.
form_view = require_http_methods(["GET", "HEAD", "POST"])


def triggers(kind: str) -> Callable:
    """Of a page whose POST starts a run of the `kind` that its address names: what it refuses is on
    record (see `Refusals`)."""

    def mark(view):
        view.triggers = kind
        return view

    return mark

"""Questions before a command, and what its page has sent: the chosen rows, and the list to go back to."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from studio.core.uuids import as_uuids


def ask(
    request,
    *,
    nav: str,
    title: str,
    text: str,
    submit: str,
    cancel_url: str,
    parent: str = "",
    consequences: Iterable[str] = (),
    hidden: Iterable[tuple[str, Any]] = (),
    danger: bool = True,
) -> HttpResponse:
    """A page that asks before the command of this address. `submit` is the word on the button,
    `parent` the name of the page at `cancel_url`; `hidden` is sent along."""
    context = {
        "nav": nav,
        "title": title,
        "text": text,
        "submit": submit,
        "cancel_url": cancel_url,
        "parent": parent,
        "consequences": list(consequences),
        "hidden": list(hidden),
        "danger": danger,
        "action": request.get_full_path(),
    }
    return render(request, "confirm.html", context)


def selected(request) -> list[UUID]:
    """The rows of a list that were chosen."""
    return as_uuids(request.POST.getlist("selected"))


def list_address(name: str, query: QueryDict) -> str:
    """The list that a command came from, with its filters."""
    return f"{reverse(name)}?{query.urlencode()}" if query else reverse(name)

"""The origin of the current action: the request that is being answered, or a command of the
terminal. Kept in a context variable, so that services need not pass it on."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from studio.core.addresses import address_of
from studio.core.models import Door

current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)
_door: ContextVar[Door] = ContextVar("door", default=Door.STUDIO)


@dataclass(frozen=True)
class Origin:
    door: Door
    address: str | None = None
    request_id: str = ""


def origin() -> Origin:
    request = current_request.get()
    if request is None:
        return Origin(_door.get())
    return Origin(_door_of(request), address_of(request), getattr(request, "correlation_id", ""))


def _door_of(request: HttpRequest) -> Door:
    match = request.resolver_match
    if match is None:
        return Door.PAGE
    if is_rest(match.func):
        return Door.REST
    return Door.ADMIN if match.app_name == "admin" else Door.PAGE


def is_rest(view: Any) -> bool:
    return isinstance(getattr(view, "cls", None), type)  # a view of Django REST framework


@contextmanager
def at_the_command_line() -> Iterator[None]:
    reset = _door.set(Door.COMMAND)
    try:
        yield
    finally:
        _door.reset(reset)

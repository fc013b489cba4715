"""Errors that services raise: the request is valid but not possible now, or not for this actor. Bad
input is django.core.exceptions.ValidationError. Views map both and need no `try`.

Services name what is wrong by our own fields; REST writes the wire's names for them (`field_names`
of a view). A name that the caller chose - a parameter, a key of a body - stays as it is.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.core.exceptions import ValidationError


class Refused(Exception):
    """The request cannot be done now; `message` says why and what to do next."""

    code = "UserError"
    status = 409
    headers: dict[str, str] = {}

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None):
        super().__init__(message)
        self.message = str(message)
        self.status = status or self.status
        self.code = code or self.code


class Disabled(Refused):
    """Something is disabled. v1 callers expect 400."""

    status = 400
    code = "Disabled"


class Forbidden(Refused):
    status = 403
    code = "Forbidden"


class NotFound(Refused):
    status = 404
    code = "NotFound"


class Conflict(Refused):
    """Somebody else has changed the object since it was read."""

    status = 409
    code = "Conflict"


class BadValue(Refused):
    """A value of the request cannot be used. `field` is our name of it; `target` is the caller's,
    such as a key of the body or a parameter."""

    status = 400

    def __init__(self, message: str, *, field: str = "", target: str = ""):
        super().__init__(message)
        self.field = field
        self.target = target


class NamedByCaller(ValidationError):
    """Bad input whose names the caller chose: of parameters, or of keys that nobody reads."""


class Reason(NamedTuple):
    field: str  # ours; empty if the error is about none
    name: str  # the caller's, likewise
    text: str


def reasons_of(error: Refused | ValidationError) -> Iterator[Reason]:
    """What is wrong, sentence by sentence."""
    if isinstance(error, BadValue):
        yield Reason(error.field, error.target, error.message)
    elif isinstance(error, Refused):
        yield Reason("", "", error.message)
    elif not hasattr(error, "error_dict"):
        yield from (Reason("", "", text) for text in error.messages)
    else:
        for name, texts in error.message_dict.items():
            named = ("", name) if isinstance(error, NamedByCaller) else (name, "")
            yield from (Reason(*named, text) for text in texts)


def text_of(error: Refused | ValidationError) -> str:
    """All sentences of the error as one text."""
    return error.message if isinstance(error, Refused) else " ".join(error.messages)

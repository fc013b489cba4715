"""Errors that services raise: the request is valid but not possible now, or not for this actor. Bad
input is django.core.exceptions.ValidationError. Views map both and need no `try`."""

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
    """A value of the request cannot be used; `target` names the field."""

    status = 400

    def __init__(self, message: str, *, target: str = ""):
        super().__init__(message)
        self.target = target


def text_of(error: Refused | ValidationError) -> str:
    """All sentences of the error as one text."""
    return error.message if isinstance(error, Refused) else " ".join(error.messages)

"""What services raise for a right request at the wrong time or by the wrong person. Bad input is
django.core.exceptions.ValidationError; doors map both and contain no `try`."""

from django.core.exceptions import ValidationError


class Refused(Exception):
    """The request is understood and cannot be done now; `message` says why and what to do next."""

    code = "UserError"
    status = 409
    headers: dict[str, str] = {}

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None):
        super().__init__(message)
        self.message = str(message)
        self.status = status or self.status
        self.code = code or self.code


class Disabled(Refused):
    """The one refusal for everything that is switched off. v1 callers expect 400."""

    status = 400
    code = "Disabled"


class Forbidden(Refused):
    status = 403
    code = "Forbidden"


class NotFound(Refused):
    status = 404
    code = "NotFound"


class Conflict(Refused):
    """Somebody else changed the object since it was read."""

    status = 409
    code = "Conflict"


class BadValue(Refused):
    """A value of the request cannot be used; `target` names the field."""

    status = 400

    def __init__(self, message: str, *, target: str = ""):
        super().__init__(message)
        self.target = target


def text_of(error: Refused | ValidationError) -> str:
    """Its sentences, where one text is wanted."""
    return error.message if isinstance(error, Refused) else " ".join(error.messages)

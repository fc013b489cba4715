"""Common to all MLflow addresses: the shape of errors, and reading bodies."""

from datetime import UTC, datetime

from rest_framework.views import APIView

from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import Body
from studio.core.rest.views import WireView, exception_handler

MOST = 50_000  # the largest page MLflow lets a client ask for; a page has at most LARGEST results
LARGEST = 1000
# MLflow's error codes, by the status of the answer.
CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}
# Codes that the status alone does not give: a client that loses a race to create an experiment
# looks for this one.
BY_CODE = {"Conflict": "RESOURCE_ALREADY_EXISTS", "NoSuchAddress": "ENDPOINT_NOT_FOUND"}


def explained(error, context):
    """The studio's own error body, with the two keys that MLflow's client reads."""
    reply = exception_handler(error, context)
    if reply is not None:
        told = reply.data["error"]
        code = BY_CODE.get(told["code"]) or CODES.get(reply.status_code, "INVALID_PARAMETER_VALUE")
        reply.data |= {"error_code": code, "message": told["message"]}
    return reply


class MlflowErrors(APIView):
    def get_exception_handler(self):
        return explained


class MlflowView(MlflowErrors, WireView):
    @property
    def body(self) -> Body:
        """The arguments: from the query string of a GET, else from the body."""
        request = self.request
        return Body(request.query_params.dict() if request.method == "GET" else request.data)


class NotServed(MlflowErrors):
    """Everything of MLflow except runs and experiments: registered models, traces, prompts, …"""

    schema = None  # not in the OpenAPI document: it is not a route

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        error = NotFound(
            f"{request.method} {kwargs['rest']} of MLflow is not served here, only its runs and"
            " experiments are. To keep a model: Model.register or Run.register_model of azureml-core."
        )
        error.code = "NoSuchAddress"
        raise error

    def handle(self, request, *args, **kwargs):
        """Never called; DRF needs a handler for each method."""

    get = post = put = patch = delete = handle


def whole(body: Body, key: str, default: int | None = None) -> int | None:
    """A whole number; protobuf writes 64-bit numbers as text."""
    value = body.get(key)
    if value in (None, ""):
        return default
    text = str(value)
    digits = text.removeprefix("-")
    if isinstance(value, bool) or not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise BadValue(
            f"{key} must be a whole number of at most 18 digits, not {text[:80]!r}.", target=key
        )
    return int(text)


def page_size(body: Body) -> int:
    size = whole(body, "max_results", LARGEST)
    if not 1 <= size <= MOST:
        raise BadValue(f"max_results must be from 1 to {MOST}.", target="max_results")
    return min(size, LARGEST)


def page_after(body: Body) -> int | None:
    """The key of the last row of the page before, which is its token."""
    return whole(body, "page_token")


def milliseconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment else None


def moment_of(number: int, key: str) -> datetime:
    try:
        return datetime.fromtimestamp(number / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise BadValue(f"{key} is outside of the calendar: {number}.", target=key) from None


def pairs(body: Body, key: str) -> dict[str, str]:
    """A list of `{"key", "value"}`, as MLflow sends tags and params."""
    rows = [Body(row, name=key) for row in body.items(key)]
    return {row.name("key"): row.text("value") for row in rows}

"""What all of MLflow's addresses have in common: the shape of its errors, and how its bodies are read."""

from datetime import UTC, datetime

from rest_framework.views import APIView

from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import Body
from studio.core.rest.views import WireView, exception_handler

MOST = 50_000  # results that MLflow allows one page to ask for; a page holds no more than LARGEST
LARGEST = 1000
# MLflow's words for what is wrong, by the status of the answer.
CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}
# Where the status says too little: a client that loses a race to make an experiment looks for it.
BY_CODE = {"Conflict": "RESOURCE_ALREADY_EXISTS", "NoSuchAddress": "ENDPOINT_NOT_FOUND"}


def explained(error, context):
    """The studio's own error, and beside it the two keys that MLflow's client reads."""
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
        """What is asked for: of the address in a GET, else of the body."""
        request = self.request
        return Body(request.query_params.dict() if request.method == "GET" else request.data)


class NotServed(MlflowErrors):
    """All of MLflow that is not runs and experiments: registered models, traces, prompts, …"""

    schema = None  # not a route, but the lack of one

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        error = NotFound(
            f"{request.method} {kwargs['rest']} of MLflow is not served here, only its runs and"
            " experiments are. To keep a model: Model.register or Run.register_model of azureml-core."
        )
        error.code = "NoSuchAddress"
        raise error

    def handle(self, request, *args, **kwargs):
        """Never reached; DRF wants a handler for each method."""

    get = post = put = patch = delete = handle


def whole(body: Body, key: str, default: int | None = None) -> int | None:
    """A whole number; protobuf writes those of 64 bits as texts."""
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


def page_start(body: Body) -> int:
    start = whole(body, "page_token", 0)
    if start < 0:
        raise BadValue("page_token is not of an earlier page.", target="page_token")
    return start


def milliseconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment else None


def moment_of(number: int, key: str) -> datetime:
    try:
        return datetime.fromtimestamp(number / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise BadValue(f"{key} is outside of the calendar: {number}.", target=key) from None


def pairs(body: Body, key: str) -> dict[str, str]:
    """A list of `{"key", "value"}` as MLflow writes tags and params."""
    rows = [Body(row, name=key) for row in body.items(key)]
    return {row.name("key"): row.text("value") for row in rows}

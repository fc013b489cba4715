"""The one body of every error (wire.md 3.4)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypedDict


class ErrorDetail(TypedDict):
    Code: str
    Message: str
    Target: str | None


class PipelinesError(ErrorDetail):
    Details: list[ErrorDetail]
    InnerError: None
    DebugInfo: None


class RequestOfPipelines(TypedDict):
    RequestId: str


class Detail(TypedDict, total=False):
    code: str
    message: str
    target: str | None


class Explained(TypedDict):
    code: str
    message: str
    target: str | None
    details: list[Detail]


class Correlation(TypedDict):
    operation: str
    request: str


class ErrorBody(TypedDict):
    """Both envelopes: `Error` for the pipelines client, `error` for all others."""

    Error: PipelinesError
    Correlation: RequestOfPipelines
    error: Explained
    correlation: Correlation
    environment: str
    location: str
    time: str


def error_body(
    *,
    code: str,
    message: str,
    target: str | None = None,
    details: Iterable[Detail] = (),
    request: Any = None,
) -> ErrorBody:
    """One body with both error envelopes (wire.md 3.4): the pipelines service's and everyone
    else's."""
    details = list(details)
    correlation = getattr(request, "correlation_id", "") if request else ""
    return {
        "Error": {
            "Code": code,
            "Message": message,
            "Target": target,
            "Details": [
                {"Code": code, "Message": entry["message"], "Target": entry.get("target")}
                for entry in details
            ],
            "InnerError": None,
            "DebugInfo": None,
        },
        "Correlation": {"RequestId": correlation},
        "error": {"code": code, "message": message, "target": target, "details": details},
        "correlation": {"operation": correlation, "request": correlation},
        "environment": "selfhosted",
        "location": "selfhosted",
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }

"""DRF glue for the wire: any JSON body, bearer tokens, workspace scope, both error envelopes."""

import json
import logging
from datetime import UTC, datetime

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import OperationalError
from django.http import Http404
from django.utils.functional import cached_property
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.views import APIView

from studio.core import tokens
from studio.core.access import Actor
from studio.core.errors import NotFound, Refused
from studio.core.models import Workspace

logger = logging.getLogger(__name__)

# One prefix for every workspace route (wire 3.1). Callers were seen with both spellings.
SCOPE = (
    r"subscriptions/(?P<subscription>[^/]+)/resource[gG]roups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/(?P<workspace>[^/]+)"
)


class AnyJSONParser(JSONParser):
    """Reads the body as JSON whatever its Content-Type says, or if it says nothing (wire 1.5, 7)."""

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):
        raw = stream.read()
        if not raw.strip():
            return {}
        try:
            return json.loads(raw.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise exceptions.ParseError(f"The body is not valid JSON: {error}") from error


class AlwaysJSON(BaseContentNegotiation):
    """The first parser and renderer, whatever the client says it accepts."""

    def select_parser(self, request, parsers):
        return parsers[0]

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


class StudioAuthentication(BaseAuthentication):
    """`Authorization: Bearer|Token <studio token or JWT>`; `request.user` is then an Actor's user.

    `request.auth` is the Actor. Kinds of JWT besides a caller's are read by the functions that
    settings and apps add to `readers` (a step's own token is known to `runs`).
    """

    readers = []

    def authenticate(self, request):
        scheme, _, key = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() not in ("bearer", "token") or not key.strip():
            return None
        actor = actor_from(key.strip())
        if actor is None:
            raise exceptions.AuthenticationFailed(
                "This token is unknown, expired or revoked. Make a new one on the Tokens page."
            )
        return actor, actor

    def authenticate_header(self, request):
        return "Bearer"


def actor_from(key: str) -> Actor | None:
    """The actor of a studio token or of a JWT made from one, or of a step's run token."""
    if key.startswith(tokens.PREFIX):
        token = tokens.from_plain(key)
        return tokens.actor_of(token) if token else None
    claims = tokens.decode(key)
    if claims is None:
        return None
    if "token" in claims:
        token = tokens.from_uuid(claims["token"])
        return tokens.actor_of(token) if token else None
    for reader in StudioAuthentication.readers:
        actor = reader(claims)
        if actor is not None:
            return actor
    return None


class WireView(APIView):
    """A view below a workspace scope: `self.workspace` is the caller's own, or the answer is 404."""

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        if request.auth is not None:
            self.check_scope(request.auth.workspace)
            if not request.auth.may("read"):
                raise exceptions.PermissionDenied(
                    f"{request.auth.name} has no role in workspace {request.auth.workspace}."
                )

    def check_scope(self, workspace: Workspace):
        """A caller sees one workspace; any other, existing or not, is not found."""
        wanted = [self.kwargs[key].lower() for key in ("subscription", "group", "workspace")]
        own = [workspace.subscription_id, workspace.resource_group, workspace.name]
        if wanted != [part.lower() for part in own]:
            raise NotFound(
                f"Workspace {self.kwargs['workspace']!r} was not found, or this token is for another."
            )

    @property
    def actor(self) -> Actor:
        return self.request.auth

    @cached_property
    def base_url(self) -> str:
        return base_url(self.request)


def base_url(request=None) -> str:
    """The address that links in a reply start with: the public one, else the request's own."""
    if settings.STUDIO_PUBLIC_URL or request is None:
        return settings.STUDIO_BASE_URL
    return request.build_absolute_uri("/").rstrip("/")


def error_body(
    *, code: str, message: str, target: str | None = None, details=(), request=None
) -> dict:
    """Both envelopes of wire 3.4 in one body: the pipelines service's and everyone else's."""
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


def exception_handler(error, context):
    """The one mapper from what services and DRF raise to a response."""
    request = context.get("request")
    django_request = getattr(request, "_request", request)
    status, headers, body = _explain(error)
    if status is None:
        return None
    return Response(error_body(request=django_request, **body), status=status, headers=headers)


def _explain(error):
    headers = {}
    if isinstance(error, Refused):
        target = getattr(error, "target", None) or None
        return (
            error.status,
            headers,
            {"code": error.code, "message": error.message, "target": target},
        )
    if isinstance(error, ValidationError):
        details = _details(error)
        message = " ".join(entry["message"] for entry in details)
        target = details[0]["target"] if len(details) == 1 else None
        body = {"code": "UserError", "message": message, "details": details, "target": target}
        return 400, headers, body
    if isinstance(error, Http404 | ObjectDoesNotExist):
        return 404, headers, {"code": "NotFound", "message": str(error) or "Not found."}
    if isinstance(error, PermissionDenied):
        return 403, headers, {"code": "Forbidden", "message": str(error) or "Not allowed."}
    if isinstance(error, OperationalError):
        logger.exception("database refused")
        headers["Retry-After"] = "1"
        body = {
            "code": "ServiceUnavailable",
            "message": "The database did not answer in time. Nothing was changed; try again.",
        }
        return 503, headers, body
    if isinstance(error, exceptions.APIException):
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header
        if getattr(error, "wait", None):
            headers["Retry-After"] = str(int(error.wait) + 1)
        if isinstance(error, exceptions.ValidationError):
            details = [
                {
                    "code": "UserError",
                    "target": str(field),
                    "message": f"{field}: {' '.join(map(str, texts))}",
                }
                for field, texts in _field_errors(error.detail).items()
            ]
            message = " ".join(entry["message"] for entry in details)
            return 400, headers, {"code": "UserError", "message": message, "details": details}
        code = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}.get(
            error.status_code, "UserError"
        )
        return error.status_code, headers, {"code": code, "message": str(error.detail)}
    return None, headers, {}


def _details(error: ValidationError) -> list[dict]:
    if hasattr(error, "message_dict"):
        return [
            {"code": "UserError", "target": field, "message": " ".join(messages)}
            for field, messages in error.message_dict.items()
        ]
    return [{"code": "UserError", "target": None, "message": text} for text in error.messages]


def _field_errors(detail) -> dict:
    if isinstance(detail, dict):
        return {key: value if isinstance(value, list) else [value] for key, value in detail.items()}
    return {"body": detail if isinstance(detail, list) else [detail]}

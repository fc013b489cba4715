"""DRF base classes for the wire: the workspace scope of a view, addresses, and error bodies."""

import difflib
import errno
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import singledispatch
from typing import cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import (
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    TooManyFieldsSent,
    ValidationError,
)
from django.db import OperationalError
from django.http import Http404, UnreadablePostError
from django.utils.functional import cached_property
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import APIView

from studio.core import audit
from studio.core.access import Actor
from studio.core.errors import BadValue, Forbidden, NamedByCaller, NotFound, Refused
from studio.core.models import Workspace
from studio.core.rest import enums
from studio.core.rest.authentication import StudioAuthentication
from studio.core.rest.bodies import too_large
from studio.core.rest.errors import error_body

__all__ = [
    "StudioAuthentication",
    "WireView",
    "base_url",
    "find",
    "find_by_name",
    "wire_time",
]

logger = logging.getLogger(__name__)

COMPARED = 200  # comparing is slow, and scripts look up names before they create them


class WireView(APIView):
    """A view below a workspace path: the caller's own workspace, or 404."""

    # Tokens of one endpoint and steps' own tokens can open only views that allow it: those whose
    # querysets are limited by the actor, or that show nothing of the workspace.
    for_endpoint_tokens = False
    for_run_tokens = False
    field_names: Mapping[str, str] = {}  # what the wire calls the fields that services name

    def initial(self, request, *args, **kwargs):
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise exceptions.ParseError("The address contains a NUL character.")
        super().initial(request, *args, **kwargs)
        if request.auth is not None:
            self.check_scope(request.auth.workspace)
            self.check_reach(request.auth)

    def finalize_response(self, request, response, *args, **kwargs):
        if isinstance(response, Response) and enums.wants_numbers(request):
            response.data = enums.as_numbers(response.data)
        return super().finalize_response(request, response, *args, **kwargs)

    def check_reach(self, actor: Actor):
        if not actor.may("read"):
            raise Forbidden(f"{actor.name} has no role in workspace {actor.workspace}.")
        if actor.endpoint_uuid is not None and not self.for_endpoint_tokens:
            raise Forbidden("This token opens one endpoint and its runs; nothing else.")
        if actor.run_uuid is not None and not self.for_run_tokens:
            raise Forbidden("A step's own token does not open this.")

    def check_scope(self, workspace: Workspace):
        """A caller sees one workspace; any other, existing or not, is 404."""
        if "workspace" not in self.kwargs:
            return
        wanted = [self.kwargs[key].lower() for key in ("subscription", "group", "workspace")]
        own = [workspace.subscription_id, workspace.resource_group, workspace.name]
        if wanted != [part.lower() for part in own]:
            raise NotFound(
                f"Workspace {self.kwargs['workspace']!r} was not found, or this token is for another."
            )

    @property
    def actor(self) -> Actor:
        return cast("Actor", self.request.auth)

    @cached_property
    def base_url(self) -> str:
        return base_url(self.request)


class TriggerDoor(WireView):
    """A view whose POST starts a run; its refusals are recorded."""

    triggers = ""  # the kind of object that the address names by `uuid` or `name`

    def handle_exception(self, exc):
        response = super().handle_exception(exc)
        error = response.data["error"]
        self.note_refusal(response.status_code, error["code"], error["message"])
        return response

    def note_refusal(self, status: int, code: str, message: str) -> None:
        if self.request.method != "POST" or status >= 500:
            return
        uuid, name = self.named()
        audit.refuse(
            self.refused_actor() or audit.nobody(),
            code=code,
            reason=message,
            status=status,
            kind=self.triggers,
            name=name,
            object_uuid=uuid,
            at_once=status != 429,  # 429s may come in floods
            **self.asked(),
        )

    def refused_actor(self) -> Actor | None:
        try:
            return cast("Actor | None", self.request.auth)
        except exceptions.AuthenticationFailed:
            return None

    def named(self) -> tuple[UUID | None, str]:
        """The uuid or the name of what was to be run."""
        asked = self.kwargs.get("uuid") or self.kwargs.get("name")
        text = str(asked or self.request.query_params.get("name", ""))
        try:
            return UUID(text), text
        except ValueError:
            return None, text

    def asked(self) -> dict:
        """Further columns of the audit row."""
        return {}


def find(queryset, uuid: str, what: str):
    """The row of `queryset` with this uuid; 404 for any other text."""
    try:
        row = queryset.get(uuid=UUID(uuid))
    except (ValueError, ObjectDoesNotExist):
        raise NotFound(f"{what} {uuid} not found in workspace.") from None
    return row


def find_by_name(queryset, name: str, what: str):
    """The row of exactly this name; the 404 suggests the nearest name."""
    row = queryset.filter(name=name).first()
    if row is None:
        known = queryset.order_by("-pk").values_list("name", flat=True)[:COMPARED]
        close = difflib.get_close_matches(name[:100], known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise NotFound(f"{what} {name!r} not found in workspace.{hint}")
    return row


def without_news(request) -> Response | None:
    """The answer to a caller who waits (`Prefer: wait=<seconds>`) while there is nothing new: the
    server in front does not send it, and asks again later. None if the time is over or nobody
    waits."""
    if request.META.get("studio.may_hold"):
        return Response(status=204, headers={"x-studio-hold": "1"})
    return None


def wire_time(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, as the clients read it (wire.md 3.3)."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def base_url(request=None) -> str:
    """The base of addresses in a reply: the public one, else the request's own."""
    if settings.STUDIO_PUBLIC_URL or request is None:
        return settings.STUDIO_BASE_URL
    return request.build_absolute_uri("/").rstrip("/")


def exception_handler(error, context):
    """Maps all errors of services and DRF to a response; for None Django answers 500."""
    explained = explain(error)
    if explained is None:
        return None
    status, headers, body = explained
    if _names_our_fields(error):
        body = _in_the_wires_words(body, getattr(context.get("view"), "field_names", {}))
    request = context.get("request")
    answer = error_body(request=getattr(request, "_request", request), **body)
    return Response(answer, status=status, headers=headers)


def _names_our_fields(error) -> bool:
    if isinstance(error, BadValue):
        return bool(error.field)
    return isinstance(error, ValidationError) and not isinstance(error, NamedByCaller)


def _in_the_wires_words(body: dict, names: Mapping[str, str]) -> dict:
    details = [_with_wire_name(entry, names) for entry in body.get("details", ())]
    body = _with_wire_name(body, names)
    message = " ".join(entry["message"] for entry in details) or body["message"]
    return {**body, "message": message, "details": details}


def _with_wire_name(part: dict, names: Mapping[str, str]) -> dict:
    """With the client's name of the field, also in the message unless that says it already."""
    name = names.get(part["target"])
    if name is None:
        return part
    message = part["message"]
    if name.rpartition(".")[2].lower() not in message.lower():
        message = f"{name}: {message}"
    return {**part, "target": name, "message": message}


@singledispatch
def explain(error) -> tuple[int, dict, dict] | None:
    """`(status, headers, arguments of error_body)` for an error of a service or of DRF."""
    return None


@explain.register
def _(error: Refused):
    target = getattr(error, "field", None) or getattr(error, "target", None) or None
    return (
        error.status,
        error.headers,
        {"code": error.code, "message": error.message, "target": target},
    )


@explain.register
def _(error: ValidationError):
    details = _details(error)
    return (
        400,
        {},
        {
            "code": "UserError",
            "message": " ".join(entry["message"] for entry in details),
            "details": details,
            "target": details[0]["target"] if len(details) == 1 else None,
        },
    )


@explain.register(Http404)
@explain.register(ObjectDoesNotExist)
def _(error):
    return 404, {}, {"code": "NotFound", "message": str(error) or "Not found."}


@explain.register
def _(error: PermissionDenied):
    return 403, {}, {"code": "Forbidden", "message": str(error) or "Not allowed."}


@explain.register
def _(error: OperationalError):
    logger.error("the database refused", exc_info=error)
    if any(words in str(error) for words in ("disk is full", os.strerror(errno.ENOSPC))):
        return disk_is_full()
    message = "The database did not answer in time. Nothing was changed; try again."
    return 503, {"Retry-After": "1"}, {"code": "ServiceUnavailable", "message": message}


@explain.register
def _(error: OSError):
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    logger.error("a file could not be written", exc_info=error)
    return disk_is_full()


def disk_is_full() -> tuple[int, dict, dict]:
    message = "The disk is full. Nothing was changed; free some space and try again."
    return 503, {"Retry-After": "60"}, {"code": "ServiceUnavailable", "message": message}


@explain.register
def _(error: RequestDataTooBig):
    return explain(too_large(settings.DATA_UPLOAD_MAX_MEMORY_SIZE))


@explain.register
def _(error: TooManyFieldsSent):
    most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    return 400, {}, {"code": "UserError", "message": f"The query has more than {most} terms."}


@explain.register
def _(error: UnreadablePostError):
    return 400, {}, {"code": "UserError", "message": "The body ended before its length."}


@explain.register
def _(error: exceptions.ValidationError):
    details = [
        {
            "code": "UserError",
            "target": str(field),
            "message": f"{field}: {' '.join(map(str, texts))}",
        }
        for field, texts in _field_errors(error.detail).items()
    ]
    message = " ".join(entry["message"] for entry in details)
    return 400, {}, {"code": "UserError", "message": message, "details": details}


@explain.register
def _(error: exceptions.APIException):
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    code = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}
    body = {"code": code.get(error.status_code, "UserError"), "message": str(error.detail)}
    return error.status_code, headers, body


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

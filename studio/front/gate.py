"""The studio's answers to the server's questions: who may send a large body, how large, and how a
refusal is worded. They are asked before the body is read, so that refused bodies do not fill the
disk."""

import io
import json

from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from django.utils import translation
from rest_framework.views import APIView

from studio.core.errors import Forbidden, NotFound
from studio.core.middleware import take_own_cookies
from studio.core.origin import current_request
from studio.core.rest.bodies import limit_of, too_large
from studio.core.rest.errors import error_body
from studio.core.rest.views import TriggerDoor, explain
from studio.front.server import Refusal

WORDS = {413: "UserError", 500: "ServiceError", 503: "ServiceUnavailable"}


class StudioGate:
    def admit(self, environ: dict) -> int | Refusal:
        request = WSGIRequest({**environ, "wsgi.input": io.BytesIO()})
        translation.activate("en")  # the thread may still have its last reader's language
        view = None
        try:
            match = matching(request)
            view = view_of(request, match)
            limit = limit_of(match.func)
            if int(environ.get("CONTENT_LENGTH") or 0) > limit:
                raise too_large(limit)
            check_caller(request, view)
        except Exception as error:
            explained = explain(error)
            if explained is None:
                raise
            status, headers, body = explained
            if isinstance(view, TriggerDoor):
                note(request, view, status, body)
            return refusal(status, headers, **body)
        return limit

    def too_large(self, limit: int) -> Refusal:
        error = too_large(limit)
        return self.refusal(error.status, str(error))

    def refusal(self, status: int, reason: str) -> Refusal:
        return refusal(status, {}, code=WORDS.get(status, "UserError"), message=reason)


def matching(request: HttpRequest) -> ResolverMatch:
    try:
        return resolve(request.path_info)
    except Http404:  # Django's own message would list every route
        raise NotFound(f"There is no {request.path} here.") from None


def view_of(request: HttpRequest, match: ResolverMatch) -> APIView | None:
    """The REST view that will answer, set up for this request; None for a page."""
    request.resolver_match = match
    cls = getattr(match.func, "cls", None)
    if cls is None:
        return None
    view = cls(**getattr(match.func, "initkwargs", {}))
    view.setup(request, *match.args, **match.kwargs)
    view.request = view.initialize_request(request, *match.args, **match.kwargs)
    return view


def note(request: HttpRequest, view: TriggerDoor, status: int, body: dict) -> None:
    """Record a refusal here, because it never reaches the view."""
    reset = current_request.set(request)
    try:
        view.note_refusal(status, body["code"], body["message"])
    finally:
        current_request.reset(reset)


def check_caller(request: HttpRequest, view: APIView | None) -> None:
    """Raise what the view would raise for this caller, as far as that does not depend on the
    body."""
    if view is None:
        take_own_cookies(request)
        SessionMiddleware(lambda request: HttpResponse()).process_request(request)
        if not get_user(request).is_authenticated:
            raise Forbidden("Sign in before you send as much as this.", status=401)
        return
    view.initial(view.request, *view.args, **view.kwargs)
    if hasattr(view, "check_sender"):
        view.check_sender(view.request, *view.args, **view.kwargs)


def refusal(status: int, headers: dict[str, str], **body) -> Refusal:
    if status == 401:
        headers = headers | {"WWW-Authenticate": "Bearer"}
    content = json.dumps(error_body(**body)).encode()
    return Refusal(status, "application/json", content, tuple(headers.items()))

"""The studio's answers to what the server asks: who may send a large body, how large it may be, and
how a refusal is worded. Asked before the body is read: nobody fills the disk with what is refused."""

import io
import json

from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpRequest
from django.urls import ResolverMatch, resolve

from studio.core.bodies import limit_of, too_large
from studio.core.errors import Forbidden, NotFound
from studio.core.rest import error_body, explain
from studio.front.server import Refusal

WORDS = {413: "UserError", 500: "ServiceError", 503: "ServiceUnavailable"}


class StudioGate:
    def admit(self, environ: dict) -> int | Refusal:
        request = WSGIRequest({**environ, "wsgi.input": io.BytesIO()})
        try:
            match = matching(request)
            limit = limit_of(match.func)
            if int(environ.get("CONTENT_LENGTH") or 0) > limit:
                raise too_large(limit)
            check_caller(request, match)
        except Exception as error:
            explained = explain(error)
            if explained is None:
                raise
            status, headers, body = explained
            return refusal(status, headers, **body)
        return limit

    def too_large(self, limit: int) -> Refusal:
        status, headers, body = explain(too_large(limit))
        return refusal(status, headers, **body)

    def refusal(self, status: int, reason: str) -> Refusal:
        return refusal(status, {}, code=WORDS.get(status, "UserError"), message=reason)


def matching(request: HttpRequest) -> ResolverMatch:
    try:
        return resolve(request.path_info)
    except Http404:  # Django's own message lists every route
        raise NotFound(f"There is no {request.path} here.") from None


def check_caller(request: HttpRequest, match: ResolverMatch) -> None:
    """Raise what the view would refuse this caller with, as far as it knows without the body."""
    cls = getattr(match.func, "cls", None)
    if cls is None:
        SessionMiddleware(lambda request: None).process_request(request)
        if not get_user(request).is_authenticated:
            raise Forbidden("Sign in before you send as much as this.", status=401)
        return
    view = cls(**match.func.initkwargs)
    view.setup(request, *match.args, **match.kwargs)
    view.request = view.initialize_request(request, *match.args, **match.kwargs)
    view.initial(view.request, *match.args, **match.kwargs)
    if hasattr(view, "check_sender"):
        view.check_sender(view.request, *match.args, **match.kwargs)


def refusal(status: int, headers: dict[str, str], **body) -> Refusal:
    if status == 401:
        headers = headers | {"WWW-Authenticate": "Bearer"}
    content = json.dumps(error_body(**body)).encode()
    return Refusal(status, "application/json", content, tuple(headers.items()))

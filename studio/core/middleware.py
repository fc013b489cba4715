"""Middleware: older addresses, correlation ids, cookies, content security policy, CORS, language,
the workspace of a page, and refusals."""

import re
import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers

from studio.core.access import actor_for, workspaces_of
from studio.core.errors import Refused
from studio.core.logs import correlation_id
from studio.core.models import Workspace
from studio.core.origin import current_request, is_rest
from studio.core.ui.decorators import record_refusal

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
OWN_COOKIES = (
    *(settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME),
    "messages",
)
HOST_PREFIX = "__Host-"  # browsers accept it over https only, for this host only
SAFE = ("GET", "HEAD")
SHOWN_TO_SCRIPTS = (
    "x-ms-request-id, Retry-After, ETag, Content-Range, Idempotent-Replayed, WWW-Authenticate"
)
WORKSPACE = re.compile(
    r"/subscriptions/(?P<subscription_id__iexact>[^/\0]+)/resourcegroups/(?P<resource_group__iexact>[^/\0]+)"
    r"/(?:providers/[^/]+/)?workspaces/(?P<name__iexact>[^/\0]+)/?\Z",
    re.IGNORECASE,
)

# Addresses of v1's first years.
OLDER = re.compile(r"^/(?:(?P<pipelines>api/v1\.0)|mlflow/v1\.0)/", re.IGNORECASE)


def older_addresses(get_response):
    """Serve v1's older addresses by the current ones, without a redirect: no client follows one for
    a POST."""

    def middleware(request):
        if found := OLDER.match(request.path_info):
            now = "/pipelines/v1.0/" if found["pipelines"] else "/mlflow/v2.0/"
            request.path_info = now + request.path_info[found.end() :]
        return get_response(request)

    return middleware


def correlation(get_response):
    """Give each request an id for its log lines, error pages, error bodies and audit rows."""

    def middleware(request):
        request.correlation_id = uuid.uuid4().hex
        reset = correlation_id.set(request.correlation_id)
        reset_request = current_request.set(request)
        try:
            response = get_response(request)
        finally:
            current_request.reset(reset_request)
            correlation_id.reset(reset)
        response["x-ms-request-id"] = request.correlation_id
        return response

    return middleware


def cookies_of_https(get_response):
    """Over https, cookies are Secure and have names of their own.

    Browsers send a host's cookies to all its ports. With equal names, signing in at one port would
    sign out at the other, and cookies set over plain http would be trusted over https. Other code
    uses the plain names.
    """

    def middleware(request):
        take_own_cookies(request)
        response = get_response(request)
        for name in OWN_COOKIES if request.is_secure() else ():
            if (morsel := response.cookies.pop(name, None)) is not None:
                morsel.set(HOST_PREFIX + name, morsel.value, morsel.coded_value)
                morsel["secure"] = True
                response.cookies[HOST_PREFIX + name] = morsel
        return response

    return middleware


def take_own_cookies(request) -> None:
    """Rename the https cookies to their plain names, and drop cookies that came under those."""
    for name in OWN_COOKIES if request.is_secure() else ():
        request.COOKIES.pop(name, None)
        if HOST_PREFIX + name in request.COOKIES:
            request.COOKIES[name] = request.COOKIES[HOST_PREFIX + name]


def content_security_policy(get_response):
    """Nothing inline and nothing from elsewhere: a page loads only what we serve."""

    def middleware(request):
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware


class CrossOrigin:
    """Lets scripts from STUDIO_CORS_ORIGINS call REST from a browser with a token, but never with
    the cookies of the person who is signed in there."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if is_allowed(request):
            response["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response["Access-Control-Expose-Headers"] = SHOWN_TO_SCRIPTS
        if getattr(request, "is_rest", False) and settings.STUDIO_CORS_ORIGINS:
            patch_vary_headers(response, ["Origin"])
        return response

    def process_view(self, request, view, args, kwargs):
        request.is_rest = is_rest(view)
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        if not is_allowed(request):
            return None
        # The browser's preflight request, which has no token.
        methods = [name.upper() for name in view.cls.http_method_names if hasattr(view.cls, name)]
        asked = request.headers.get("Access-Control-Request-Headers", "")
        return HttpResponse(
            status=204,
            headers={
                "Access-Control-Allow-Methods": ", ".join(methods),
                "Access-Control-Allow-Headers": asked,
                "Access-Control-Max-Age": "600",
            },
        )


def is_allowed(request) -> bool:
    return (
        getattr(request, "is_rest", False)
        and request.headers.get("Origin", "").lower() in settings.STUDIO_CORS_ORIGINS
    )


class RestInEnglish:
    """Refusals are in the reader's language on pages and always in English over REST, because
    programs read them."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if is_rest(view):
            translation.activate("en")


def workspace(get_response):
    """Set `request.actor` for a signed-in person: in the workspace picked in this browser, else in
    their oldest.

    A link from the SDK names its workspace (`?wsid=`); following it picks that workspace.
    """

    def middleware(request):
        request.actor = None
        # REST authenticates by token and never opens a session.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            user = request.user
            places = workspaces_of(user)
            linked = _linked(request, places)
            if linked is not None:
                request.session["workspace"] = str(linked.uuid)
            picked = request.session.get("workspace")
            place = places.filter(uuid=picked).first() if picked else None
            # The oldest, not the first by name: a new workspace must not move anybody.
            place = place or places.order_by("pk").first()
            if place is not None:
                request.actor = actor_for(user, place)
        return get_response(request)

    return middleware


def _linked(request, places) -> Workspace | None:
    """The workspace that the address names, if its reader may open it."""
    named = WORKSPACE.match(request.GET.get("wsid", "")) if request.method in SAFE else None
    if named is None:
        return None
    return places.filter(**named.groupdict()).first()


class Refusals:
    """Shows the errors that services raise, so that pages need no `try`."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, error):
        if not isinstance(error, Refused | ValidationError):
            return None
        record_refusal(request, error)
        if isinstance(error, ValidationError):
            return render(request, "400.html", {"reason": " ".join(error.messages)}, status=400)
        name = {403: "403.html", 404: "404.html"}.get(error.status, "409.html")
        return render(request, name, {"reason": error.message}, status=error.status)

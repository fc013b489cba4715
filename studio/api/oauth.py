"""Exchanges studio tokens over OAuth and managed identity (wire.md 4.2). Tenant and client may be
anything, the secret decides; the answer is a JWT that becomes void with the token."""

import base64
import logging
import time
from urllib.parse import parse_qsl, unquote_plus

from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from studio.api.arm import OpenView
from studio.core import audit, rate_limits, tokens
from studio.core.errors import BadValue
from studio.core.models import Token
from studio.core.origin import origin
from studio.core.rest.decoding import read_text
from studio.core.rest.views import base_url

logger = logging.getLogger(__name__)
LONGEST_FORM, MOST_FIELDS = 64 * 1024, 100


class AnyFormParser(BaseParser):
    """Reads a form whatever its Content-Type; Java's stock client sends none."""

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):
        text = read_text(stream, parser_context)
        try:
            return dict(parse_qsl(text.strip(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            raise BadValue(f"The form has more than {MOST_FIELDS} fields.", target="body") from None


class TokenView(OpenView):
    parser_classes = (AnyFormParser,)
    body_limit = LONGEST_FORM

    def answer(self, plain: str, *, tenant: str, client: str = "", resource: str = "") -> Response:
        token = tokens.from_plain(plain) if plain.startswith(tokens.PREFIX) else None
        if token is None:
            return guessed(client)
        logger.info("token granted to %s client=%.80r tenant=%.80r", token.name, client, tenant)
        return granted(token, tenant=tenant, resource=resource)


def guessed(client: str) -> Response:
    """Record a wrong secret, and limit further ones. A right secret is never locked out: nobody
    guesses 256 bits, and one caller with an old secret must not stop the others at its address."""
    address = origin().address
    attempt = rate_limits.take("secret", client, address, is_known=lambda: False)
    answer = (
        refused(
            "temporarily_unavailable", "Too many wrong secrets. Wait a minute, then try again.", 429
        )
        if attempt.is_too_late
        else refused("invalid_client", "The client secret is no live token of this studio.", 401)
    )
    audit.count(
        audit.nobody(client or audit.ANONYMOUS),
        "token refused",
        kind="Token",
        name="",
        status=answer.status_code,
        reason=answer.data["error_description"],
    )
    if attempt.is_too_late:
        answer.headers["Retry-After"] = str(rate_limits.seconds_to_wait())
    return answer


def granted(token: Token, *, tenant: str, resource: str) -> Response:
    text, seconds = tokens.jwt_for(token, tenant=tenant[:100])
    now = int(time.time())
    body = {
        "token_type": "Bearer",
        "access_token": text,
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "expires_on": str(now + seconds),
        "not_before": str(now),
        "resource": resource,
    }
    return Response(body, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


def refused(code: str, description: str, status: int) -> Response:
    """OAuth's own error shape (RFC 6749, 5.2)."""
    return Response({"error": code, "error_description": description}, status=status)


class OpenIdConfiguration(OpenView):
    def get(self, request, tenant):
        base = base_url(request)
        return Response(
            {
                "issuer": f"{base}/adfs/{tenant}",
                "authorization_endpoint": f"{base}/adfs/oauth2/authorize",
                "token_endpoint": f"{base}/adfs/oauth2/token",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "client_secret_basic",
                ],
                "grant_types_supported": ["client_credentials"],
                "response_types_supported": ["token"],
            }
        )


class ClientCredentials(TokenView):
    """`/adfs/oauth2/token`, and `/{tenant}/oauth2/token` for callers that use the public cloud's
    address."""

    def post(self, request, tenant="studio"):
        form = request.data
        if form.get("grant_type") != "client_credentials":
            return refused("unsupported_grant_type", "grant_type must be client_credentials.", 400)
        client, secret = from_header(request.headers.get("Authorization", ""))
        return self.answer(
            form.get("client_secret", secret),
            tenant=tenant,
            client=form.get("client_id", client),
            resource=form.get("resource") or form.get("scope") or "",
        )


def from_header(text: str) -> tuple[str, str]:
    """Client and secret from Basic authentication, the default of many OAuth clients (RFC 6749,
    2.3.1: each is form-encoded)."""
    scheme, _, words = text.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client, _, secret = base64.b64decode(words, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client), unquote_plus(secret)


class ManagedIdentity(TokenView):
    """App Service's flavour is a GET with a `secret` header, the plain flavour a POST with
    `Metadata`."""

    def get(self, request):
        secret = request.headers.get("secret") or request.query_params.get("token", "")
        return self.answer(
            secret, tenant="studio", client="msi", resource=request.query_params.get("resource", "")
        )

    def post(self, request):
        secret = request.query_params.get("token") or request.headers.get("secret", "")
        return self.answer(
            secret, tenant="studio", client="msi", resource=request.data.get("resource", "")
        )

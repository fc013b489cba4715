"""Authenticates REST calls: by studio token, by a JWT made from one, or by a run token.

Apart from `views`, because DRF imports its default classes while it is itself being imported.
"""

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from studio.core import tokens
from studio.core.access import Actor


class StudioAuthentication(BaseAuthentication):
    """`Authorization: Bearer|Token <studio token or JWT>`; sets `request.user` and `request.auth`
    to the Actor."""

    def authenticate(self, request: Request) -> tuple[Actor, Actor] | None:
        scheme, _, key = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() not in ("bearer", "token") or not key.strip():
            return None
        actor = tokens.actor_from(key.strip())
        if actor is None:
            raise exceptions.AuthenticationFailed(
                "This token is unknown, expired or revoked. Make a new one on the Tokens page."
            )
        return actor, actor

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

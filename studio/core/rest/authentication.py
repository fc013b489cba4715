"""Authenticates REST calls: by studio token, by a JWT made from one, or by a run token.

Apart from `views`, because DRF imports its default classes while it is itself being imported.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from studio.core import tokens
from studio.core.access import Actor


class StudioAuthentication(BaseAuthentication):
    """`Authorization: Bearer|Token <studio token or JWT>`; sets `request.user` and `request.auth`
    to the Actor.

    Other kinds of JWT are read by functions that apps add to `readers` (`runs` reads a step's own
    token).
    """

    readers: ClassVar[list[Callable[[dict[str, Any]], Actor | None]]] = []

    def authenticate(self, request: Request) -> tuple[Actor, Actor] | None:
        scheme, _, key = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() not in ("bearer", "token") or not key.strip():
            return None
        actor = actor_from(key.strip())
        if actor is None:
            raise exceptions.AuthenticationFailed(
                "This token is unknown, expired or revoked. Make a new one on the Tokens page."
            )
        return actor, actor

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def actor_from(key: str) -> Actor | None:
    """The actor of a studio token or of a JWT made from one, or of a step's run token."""
    if key.startswith(tokens.PREFIX):
        token = tokens.from_plain(key)
        return tokens.actor_of(token) if token else None
    claims = tokens.decode(key)
    return actor_of_claims(claims) if claims is not None else None


def actor_of_claims(claims: dict[str, Any]) -> Actor | None:
    """The actor that the claims of a JWT of ours stand for, while its token or run is alive."""
    if "token" in claims:
        token = tokens.from_uuid(claims["token"])
        return tokens.actor_of(token) if token else None
    for reader in StudioAuthentication.readers:
        actor = reader(claims)
        if actor is not None:
            return actor
    return None

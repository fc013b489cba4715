"""Who calls the REST doors: the actor of a studio token, of a JWT made from one, or of a run token.

Apart from `rest`, because DRF imports its default classes while it is being imported itself."""

from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from studio.core import tokens
from studio.core.access import Actor


class StudioAuthentication(BaseAuthentication):
    """`Authorization: Bearer|Token <studio token or JWT>`; `request.user` is then an Actor's user.

    `request.auth` is the Actor. Kinds of JWT besides a caller's are read by the functions that
    settings and apps add to `readers` (a step's own token is known to `runs`).
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
    """Whom claims that we signed speak for, while the token or run they name lives."""
    if "token" in claims:
        token = tokens.from_uuid(claims["token"])
        return tokens.actor_of(token) if token else None
    for reader in StudioAuthentication.readers:
        actor = reader(claims)
        if actor is not None:
            return actor
    return None

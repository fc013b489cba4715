"""Tokens of callers, and JWTs made from them: creating, reading and revoking."""

import hashlib
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from studio.core.access import Actor, actor_for, require
from studio.core.audit import record
from studio.core.models import RoleGrant, Token, User, Workspace

PREFIX = "studio_"
# Functions of apps that read other kinds of JWT: `runs` reads a step's own token.
claim_readers: list[Callable[[dict[str, Any]], Actor | None]] = []
JWT_SECONDS = 3600
MOST_DAYS, LONGEST_NAME = 3650, 100
USED_EVERY = timedelta(
    minutes=1
)  # `last_used_at` is for people; writing it at every call would be slow


def issue(
    *,
    user: User,
    workspace: Workspace,
    name: str,
    days: int = 365,
    endpoint_uuid: UUID | None = None,
) -> tuple[Token, str]:
    """Create a token; returns it with its plain text, which is not stored and cannot be shown
    again."""
    plain = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        workspace=workspace,
        user=user,
        name=name,
        digest=digest_of(plain),
        endpoint_uuid=endpoint_uuid,
        expires_at=timezone.now() + timedelta(days=days),
    )
    return token, plain


@transaction.atomic
def make(
    by: Actor, *, user: User, name: str, days: int = 365, endpoint_uuid: UUID | None = None
) -> tuple[Token, str]:
    """Create a token in the actor's workspace, and record it: for themselves or, as an
    administrator, for anybody."""
    require(by, "read" if user == by.user else "administer")
    if not 1 <= days <= MOST_DAYS:
        raise ValidationError({"days": f"A token lasts from 1 to {MOST_DAYS} days, not {days}."})
    if not 1 <= len(name) <= LONGEST_NAME:
        raise ValidationError({"name": f"name must have 1 to {LONGEST_NAME} characters"})
    token, plain = issue(
        user=user, workspace=by.workspace, name=name, days=days, endpoint_uuid=endpoint_uuid
    )
    after = {
        "user": token.user.get_username(),
        "endpoint": str(token.endpoint_uuid or ""),
        "expires_at": token.expires_at.isoformat(timespec="seconds"),
    }
    record(by, "create", token, after=after)
    return token, plain


def digest_of(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()


def from_plain(plain: str) -> Token | None:
    """The live token with this plain text, or None."""
    return _live(Token.objects.filter(digest=digest_of(plain)))


def from_uuid(uuid: UUID | str) -> Token | None:
    return _live(Token.objects.filter(uuid=uuid))


def _live(tokens: QuerySet[Token]) -> Token | None:
    role = RoleGrant.objects.filter(user=OuterRef("user"), workspace=OuterRef("workspace"))
    found = tokens.select_related("user", "workspace")
    token = found.annotate(role=Subquery(role.values("role")[:1])).first()
    if token is None or not token.is_live or not token.user.is_active:
        return None
    token.granted = token.role
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - USED_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


@transaction.atomic
def revoke(actor: Actor, token: Token) -> None:
    """End a token for good, with all JWTs made from it. Somebody else's needs Admin."""
    require(actor, "read" if token.user == actor.user else "administer", token)
    live = Token.objects.filter(pk=token.pk, revoked_at=None)
    if live.update(revoked_at=timezone.now()):
        record(actor, "revoke", token)


def jwt_for(token: Token, *, tenant: str = "studio") -> tuple[str, int]:
    """A signed JWT that becomes void with its token: `(text, seconds until it expires)`."""
    now = int(time.time())
    expires = min(now + JWT_SECONDS, int(token.expires_at.timestamp()))
    claims = {
        "iss": "pipeline-studio",
        "sub": str(token.user.uuid),
        "oid": str(token.user.uuid),
        "name": token.user.get_username(),
        "tid": tenant,
        "iat": now,
        "nbf": now,
        "exp": expires,
        "token": str(token.uuid),
        "workspace": str(token.workspace.uuid),
        "scp": str(token.endpoint_uuid) if token.endpoint_uuid else "workspace",
    }
    return encode(claims), expires - now


def encode(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256")


def decode(text: str) -> dict[str, Any] | None:
    """The claims of a JWT that we signed and that has not expired, or None."""
    try:
        return jwt.decode(
            text, settings.SECRET_KEY, algorithms=["HS256"], options={"verify_aud": False}
        )
    except jwt.InvalidTokenError:
        return None


def actor_of(token: Token) -> Actor:
    """The actor of a token found by `from_plain` or `from_uuid`, which include its role."""
    granted = RoleGrant(role=token.granted) if token.granted is not None else None
    return actor_for(token.user, token.workspace, token=token, grant=granted)


def actor_from(key: str) -> Actor | None:
    """The actor of a studio token, of a JWT made from one, or of a JWT that an app reads."""
    if key.startswith(PREFIX):
        token = from_plain(key)
        return actor_of(token) if token else None
    claims = decode(key)
    return actor_of_claims(claims) if claims is not None else None


def actor_of_claims(claims: dict[str, Any]) -> Actor | None:
    """The actor that the claims of a JWT of ours stand for, while its token or run is alive."""
    if "token" in claims:
        token = from_uuid(claims["token"])
        return actor_of(token) if token else None
    for reader in claim_readers:
        actor = reader(claims)
        if actor is not None:
            return actor
    return None

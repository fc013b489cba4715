"""Signing in and out, and changing one's password: all recorded, and limited against guessing."""

import logging
from collections.abc import Callable
from typing import TypeVar

from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from studio.core import audit, rate_limits
from studio.core.access import person
from studio.core.errors import Refused
from studio.core.models import AuditEvent, User
from studio.core.origin import origin

SIGNED_IN = "sign in"

logger = logging.getLogger(__name__)


class Locked(Refused):
    """Too many failures: even the right password is refused until the minute is over."""

    status = 429
    code = "TooManyRequests"


def find_user(request: HttpRequest, *, name: str, password: str) -> User | None:
    """The user of this name and password, or None; Locked after too many failures."""
    return _guarded(name, lambda: authenticate(request, username=name, password=password))


def is_password_of(user: User, password: str) -> bool:
    """Whether the password is the user's. Limited like a sign-in, because somebody may have found
    an open browser."""
    return bool(_guarded(user.get_username(), lambda: user.check_password(password)))


T = TypeVar("T")


def _guarded(name: str, check: Callable[[], T]) -> T:
    address = origin().address
    attempt = rate_limits.take("password", name, address, is_known=lambda: _is_known(name, address))
    if attempt.is_too_late:
        raise _locked(name, address)
    found = check()
    if found:
        attempt.give_back()
        return found
    _count(name, "sign-in failed", status=200, reason="No active user of this name and password.")
    if attempt.was_the_last:
        raise _locked(name, address)
    return found


def _is_known(name: str, address: str | None) -> bool:
    """Whether this person has signed in from this address before: failures of others at a shared
    address must lock out strangers only."""
    rows = AuditEvent.objects.filter(workspace=None, actor=name[:150], verb=SIGNED_IN)
    return address is not None and rows.filter(address=address).exists()


def _locked(name: str, address: str | None) -> Locked:
    if _count(name, "sign-in locked", status=Locked.status, reason="Too many failed sign-ins."):
        logger.warning("sign-in locked user=%.150r address=%s", name, address)
    return Locked(_("Too many failed sign-ins. Wait a minute, then try again."))


def _count(name: str, verb: str, *, status: int, reason: str) -> bool:
    return audit.count(
        audit.nobody(name), verb, kind="User", name=name, status=status, reason=reason
    )


def signed_in(user: User) -> None:
    audit.record(person(user), SIGNED_IN, user)


def signed_out(user: User) -> None:
    audit.record(person(user), "sign out", user)


@transaction.atomic
def change_password(user: User, password: str) -> None:
    """Change one's own password; signs the user out in all other browsers."""
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record(person(user), "change password", user, after={"password": "changed"})

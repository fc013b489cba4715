"""How often one may try a password or a secret: counted per name and address, and per address, within
a minute, over all processes and machines."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from studio.core.db.transactions import write_transaction
from studio.core.models import SignInTries

# What an address may fail in all, as a multiple of what one name may fail from it: people who share an
# address mistype at times, and whoever sprays names needs far more.
NAMES_PER_ADDRESS = 3


@dataclass(frozen=True)
class Try:
    """One try, counted before it is looked at, so that many at once get no more than one by one."""

    of_name: int
    of_address: int
    keys: tuple[str, str]

    @property
    def is_too_late(self) -> bool:
        return self.of_name > limit() or self.of_address > address_limit()

    @property
    def was_the_last(self) -> bool:
        return self.of_name >= limit() or self.of_address >= address_limit()

    def give_back(self) -> None:
        """It succeeded: this one does not count, and all that failed still do."""
        with write_transaction():
            for key in self.keys:  # in the order of `take`: nobody waits for who waits for them
                row = SignInTries.objects.filter(key=key, count__gt=0)
                row.update(count=F("count") - 1)


def limit() -> int:
    return int(settings.STUDIO_LOGIN_TRIES_PER_MINUTE)


def address_limit() -> int:
    return limit() * NAMES_PER_ADDRESS


def take(kind: str, name: str, address: str | None, *, is_known: Callable[[], bool]) -> Try:
    """Count a try for `name`, and for the address unless it comes too late for the name: who hammers
    at one name does not lock out the others there. Nor is one who `is_known` at the address locked
    out by what others fail. What is locked may be tried for ever, and writes nothing."""
    place = _place(address)
    keys = _key(kind, "name", place, name), _key(kind, "address", place)
    minute = timezone.now().replace(second=0, microsecond=0)
    rows = SignInTries.objects.filter(minute=minute, key__in=keys)
    of_name, of_address = map(dict(rows.values_list("key", "count")).get, keys, (0, 0))
    if of_name > limit():
        return Try(of_name, 0, keys)
    exempt = of_address >= address_limit() and is_known()
    if of_address >= address_limit() and not exempt:
        return Try(0, of_address + 1, keys)
    with write_transaction():
        SignInTries.objects.filter(minute__lt=minute).delete()
        of_name = _count(minute, keys[0])
        of_address = _count(minute, keys[1]) if of_name <= limit() else 0
    return Try(of_name, 0 if exempt else of_address, keys)


def seconds_to_wait() -> int:
    return 60 - timezone.now().second


def _place(address: str | None) -> str:
    """Whoever has an IPv6 address has 2**64 of them."""
    if address is None or ":" not in address:
        return address or ""
    return str(ip_network(f"{address}/64", strict=False))


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()


def _count(minute: datetime, key: str) -> int:
    row = SignInTries.objects.filter(minute=minute, key=key)
    if not row.update(count=F("count") + 1):
        try:
            with transaction.atomic():
                SignInTries.objects.create(minute=minute, key=key)
        except IntegrityError:  # another process was first
            row.update(count=F("count") + 1)
    return row.get().count

"""Limits for trying passwords and secrets: counted per name and address, and per address, within a
minute, across all processes and machines."""

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

# Failures allowed per address, as a multiple of those per name: people who share an address mistype
# at times; spraying names needs far more.
NAMES_PER_ADDRESS = 3


@dataclass(frozen=True)
class Try:
    """One try. It is counted before it is checked, so that parallel tries get no more than
    sequential ones."""

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
        """The try succeeded and does not count; earlier failures still do."""
        with write_transaction():
            for key in self.keys:  # the order of `take`, which avoids deadlocks
                row = SignInTries.objects.filter(key=key, count__gt=0)
                row.update(count=F("count") - 1)


def limit() -> int:
    return int(settings.STUDIO_LOGIN_TRIES_PER_MINUTE)


def address_limit() -> int:
    return limit() * NAMES_PER_ADDRESS


def take(kind: str, name: str, address: str | None, *, is_known: Callable[[], bool]) -> Try:
    """Count a try for `name`, and for the address unless the name is locked already, so that
    hammering one name does not lock others at the address. One who `is_known` at the address is not
    locked out by failures of others there. Locked tries write nothing."""
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
    """The network of an IPv6 address, whose owner has 2**64 of them."""
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
        except IntegrityError:  # another process has just created it
            row.update(count=F("count") + 1)
    return row.get().count

"""The address of a request's caller; no other module reads it."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address


def address_of(request: HttpRequest) -> str | None:
    """The caller's address. If the peer is one of STUDIO_TRUSTED_PROXIES, it is the last address of
    X-Forwarded-For, which the proxy has added; from anyone else the header is ignored."""
    peer = parsed(request.META.get("REMOTE_ADDR", ""))
    if peer is not None and is_in(peer, settings.STUDIO_TRUSTED_PROXIES):
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2]
        peer = parsed(forwarded) or peer
    return None if peer is None else str(peer)


def parsed(text: str) -> Address | None:
    """The address in a text, perhaps with a port as proxies write it; None if it is not an
    address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def is_in(address: Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)

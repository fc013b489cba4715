"""Downloads files from http(s) addresses of datasets, with limits.

Anyone who may make a dataset chooses the address and the studio fetches it, so addresses that only
this machine can reach are refused: its own services, and those that hand out cloud credentials.
"""

import http.client
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings

from studio.core.addresses import Address, is_in
from studio.core.errors import BadValue

CHUNK = 1 << 20
CONNECT_SECONDS = 30
THIS_NETWORK = IPv4Network("0.0.0.0/8")
NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
COMPATIBLE = IPv6Network("::/96")
# Addresses where clouds hand out credentials, besides the link-local 169.254.169.254.
METADATA = {
    ip_address(text)
    for text in (
        *("168.63.129.16", "100.100.100.200", "192.0.0.192"),
        *("fd00:ec2::254", "fd20:ce::254"),
    )
}


def download(url: str, target: Path) -> None:
    """Fetch a file; fails beyond the limits of size and time."""
    deadline = time.monotonic() + settings.STUDIO_DOWNLOAD_TIMEOUT_SECONDS
    left = settings.STUDIO_DOWNLOAD_MAX_BYTES
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "pipeline-studio"})  # noqa: S310
        with (
            _opener().open(request, timeout=CONNECT_SECONDS) as answer,
            target.open("wb") as file,
        ):
            # `read1` returns whatever has arrived, so a slow sender cannot hold us beyond the time
            # limit.
            while chunk := answer.read1(CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise BadValue(f"{url} is larger than the limit of STUDIO_DOWNLOAD_MAX_BYTES.")
                if time.monotonic() > deadline:
                    raise BadValue(f"{url} took longer than STUDIO_DOWNLOAD_TIMEOUT_SECONDS.")
                file.write(chunk)
            length = answer.headers.get("Content-Length") or ""
            if length.isdigit() and file.tell() < int(length):
                raise BadValue(f"{url} ended after {file.tell()} of {length} bytes.")
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        raise BadValue(f"{url} could not be read: {error}.") from error


Plain = TypeVar("Plain", bound=http.client.HTTPConnection)


class _Connection(http.client.HTTPConnection):
    """Connects to an address that was checked. Resolving the name again could give another one."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._create_connection = _connect


class _SecureConnection(http.client.HTTPSConnection):
    """The certificate is still checked against the name."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._create_connection = _connect


class _HTTPHandler(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_for(request, _Connection, http.client.HTTPConnection), request)


class _HTTPSHandler(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        chosen = _for(request, _SecureConnection, http.client.HTTPSConnection)
        return self.do_open(chosen, request, context=self._context)  # type: ignore[attr-defined]  # undocumented


def _opener() -> urllib.request.OpenerDirector:
    """Opens http and https only; the default opener also follows redirects to file: and ftp:. Each
    redirect is a new request, and is checked like the first."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        _HTTPHandler,
        _HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.HTTPDefaultErrorHandler,
    ):
        opener.add_handler(handler())
    return opener


def _for(request: urllib.request.Request, pinned: type[Plain], plain: type[Plain]) -> type[Plain]:
    """Behind a proxy, which resolves names itself, we can only check what the name means here."""
    wanted = urlsplit(request.full_url).hostname or ""
    if not (request.has_proxy() or getattr(request, "_tunnel_host", None)):
        return pinned
    try:
        _looked_at(wanted, None)
    except socket.gaierror:  # a name that only the proxy can resolve
        pass
    return plain


def _connect(
    place: tuple[str, int], timeout: Any = CONNECT_SECONDS, source_address: Any = None
) -> socket.socket:
    """`socket.create_connection` for the checked addresses."""
    refused = None
    for address in _looked_at(*place):
        try:
            return socket.create_connection((address, place[1]), timeout, source_address)
        except OSError as error:
            refused = error
    raise refused or OSError(f"{place[0]} has no address")


def _looked_at(host: str, port: int | None) -> list[str]:
    """The addresses of a host; BadValue if any of them may not be read."""
    host = host.strip("[]")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    names, networks = _allowed()
    if host.lower().rstrip(".") not in names:
        for text in addresses:
            _look_at(ip_address(text), host, networks)
    return addresses


def _look_at(address: Address, host: str, allowed: list[Any]) -> None:
    for each in _meanings(address):
        if is_in(each, allowed):
            continue
        if _is_own(each):
            kind = "this machine's own, or its cloud's"
        elif not settings.STUDIO_WEB_PRIVATE_NETWORKS and not each.is_global:
            kind = "of a private network, and STUDIO_WEB_PRIVATE_NETWORKS is off"
        else:
            continue
        raise BadValue(
            f"{host} leads to {address}, which is {kind}. Data is read from there only if an"
            " administrator names it in STUDIO_WEB_ALLOWED_HOSTS."
        )


def _is_own(address: Address) -> bool:
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or address in METADATA
        or is_in(address, [THIS_NETWORK])
    )


def _meanings(address: Address) -> Iterator[Address]:
    """The address itself, and the IPv4 address that an IPv6 address embeds."""
    if address.version == 4:
        yield address
        return
    plain = IPv6Address(int(address))  # without its interface (scope)
    if plain.ipv4_mapped:
        yield plain.ipv4_mapped
        return
    yield plain
    if plain.sixtofour:
        yield plain.sixtofour
    elif plain.teredo:
        yield from plain.teredo
    elif is_in(plain, (*NAT64, COMPATIBLE)) and int(plain) > 1:
        yield IPv4Address(int(plain) & 0xFFFFFFFF)


def _allowed() -> tuple[set[str], list[Any]]:
    names, networks = set(), []
    for given in settings.STUDIO_WEB_ALLOWED_HOSTS:
        text = given.strip().strip("[]")
        try:
            networks.append(ip_network(text, strict=False))
        except ValueError:
            names.add(text.lower().rstrip("."))
    return names, networks

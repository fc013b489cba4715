"""Signed addresses of blobs: an HMAC over container, path, verbs, expiry, and the token or run for which
they were made. They become invalid when that token or run ends.

Clients rewrite the host of an address to `<label1>.blob.<rest>` (wire.md 8.3), so addresses for
uploads are issued in the userinfo form `https://a.blob.c@HOST/...`, which leads back to HOST.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlencode, urlsplit

from django.conf import settings

from studio.core import tokens
from studio.core.access import Actor
from studio.core.errors import Forbidden

ACCOUNT = "a"
VERSION = "2021-08-06"
SECONDS = 3600


def signed(
    base: str, container: str, path: str, *, by: Actor, may: str = "r", seconds: int = SECONDS
) -> str:
    """The address of one blob, for clients that use it unchanged."""
    return f"{base}/{container}/{quote(path)}{_query(container, path, by, may, seconds)}"


def signed_for_upload(base: str, container: str, path: str, *, by: Actor) -> str:
    """The address of one blob for the SDK's storage client, which only speaks https."""
    query = _query(container, path, by, "rcw", SECONDS)
    return f"https://{ACCOUNT}.blob.{endpoint(base)}/{container}/{quote(path)}{query}"


def container_sas(container: str, *, by: Actor, may: str) -> str:
    """A query string that gives access to a whole container."""
    return _query(container, "", by, may, SECONDS)


def endpoint(base: str) -> str:
    """What follows `<account>.blob.` in the userinfo form. Uploads use https even if `base` does
    not."""
    secure = base if base.startswith("https:") else settings.STUDIO_BASE_URL
    return f"c@{urlsplit(secure).netloc}"


def checked(container: str, path: str, query: Mapping[str, str], *, verb: str) -> tuple[str, Actor]:
    """The path of the blob, and the actor for whom the address was made, with its current role.
    Raises Forbidden unless `query` permits `verb` (r, l, c or w) for the blob or its container.

    The storage client may quote a path twice; the signature shows whether to unquote it once more.
    """
    may, ends, maker = query.get("sp", ""), query.get("se", ""), query.get("skoid", "")
    signature = query.get("sig", "").encode()
    meant = {"": path} if query.get("sr") == "c" else {path: path, unquote(path): unquote(path)}
    for signed_path, found in meant.items():
        expected = _signature(container, signed_path, maker, may, ends)
        if hmac.compare_digest(expected.encode(), signature):
            path = found
            break
    else:
        raise Forbidden("This address is not signed by this studio.", code="AuthenticationFailed")
    if int(ends) < time.time():
        raise Forbidden("This address has expired; ask for it again.", code="AuthenticationFailed")
    if verb not in may:
        raise Forbidden(
            f"This address does not permit {verb!r}.", code="AuthorizationPermissionMismatch"
        )
    kind, _, uuid = maker.partition(".")
    actor = tokens.actor_of_claims({kind: uuid})
    if actor is None or not actor.may("read"):
        raise Forbidden(
            f"The {kind} that this address was made for has ended.", code="AuthenticationFailed"
        )
    return path, actor


def _maker(actor: Actor) -> str:
    """The token or run with which the address ends, in the form of a JWT claim."""
    if actor.run_uuid is not None:
        return f"run.{actor.run_uuid}.{actor.run_attempt}"
    if actor.token is None:
        raise Forbidden("Only requests with a token can get a signed address.")
    return f"token.{actor.token.uuid}"


def _query(container: str, path: str, by: Actor, may: str, seconds: int) -> str:
    maker = _maker(by)
    ends = str(int(time.time()) + seconds)
    values = {
        "sv": VERSION,
        "sr": "b" if path else "c",
        "sp": may,
        "se": ends,
        "skoid": maker,
        "sig": _signature(container, path, maker, may, ends),
    }
    return f"?{urlencode(values)}"


def _signature(container: str, path: str, maker: str, may: str, ends: str) -> str:
    key = hashlib.blake2b(
        settings.SECRET_KEY.encode(), digest_size=32, person=b"studio-blobs"
    ).digest()
    # Quoted, so that a line break in a name cannot pass for further fields.
    message = "\n".join((container, quote(path), maker, may, ends)).encode()
    return base64.urlsafe_b64encode(hmac.digest(key, message, "sha256")).rstrip(b"=").decode()

"""Addresses of blobs that carry their own permission: an HMAC over container, path, verbs and end.

Wire 8.3: clients rewrite the host of what they get to `<label1>.blob.<rest>`, so addresses for
uploads are issued in the userinfo form `https://a.blob.c@HOST/...`, which leads back to HOST.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings

from studio.core.errors import Forbidden

ACCOUNT = "a"
VERSION = "2021-08-06"
SECONDS = 3600


def signed(base: str, container: str, path: str, *, may: str = "r", seconds: int = SECONDS) -> str:
    """A plain address of one blob, for clients that fetch it as it is."""
    return f"{base}/{container}/{quote(path)}{_query(container, path, may, seconds)}"


def signed_for_upload(base: str, container: str, path: str, *, seconds: int = SECONDS) -> str:
    """An address of one blob for the storage client of the SDK, which knows only https."""
    query = _query(container, path, "rcw", seconds)
    return f"https://{ACCOUNT}.blob.{endpoint(base)}/{container}/{quote(path)}{query}"


def container_sas(container: str, *, may: str, seconds: int = SECONDS) -> str:
    """The query that opens a whole container."""
    return _query(container, "", may, seconds)


def endpoint(base: str) -> str:
    """What follows `<account>.blob.` in the userinfo form. Uploads are https, whatever `base` is."""
    secure = base if base.startswith("https:") else settings.STUDIO_BASE_URL
    return f"c@{urlsplit(secure).netloc}"


def check(container: str, path: str, query: Mapping[str, str], *, verb: str) -> None:
    """Raise Forbidden unless `query` permits `verb` (r, l, c or w) on this blob or container."""
    may, ends = query.get("sp", ""), query.get("se", "")
    signed_path = "" if query.get("sr") == "c" else path
    expected = _signature(container, signed_path, may, ends)
    if not hmac.compare_digest(expected.encode(), query.get("sig", "").encode()):
        raise Forbidden("This address is not signed by this studio.", code="AuthenticationFailed")
    if int(ends) < time.time():
        raise Forbidden("This address has expired; ask for it again.", code="AuthenticationFailed")
    if verb not in may:
        raise Forbidden(
            f"This address does not permit {verb!r}.", code="AuthorizationPermissionMismatch"
        )


def _query(container: str, path: str, may: str, seconds: int) -> str:
    ends = str(int(time.time()) + seconds)
    values = {
        "sv": VERSION,
        "sr": "b" if path else "c",
        "sp": may,
        "se": ends,
        "sig": _signature(container, path, may, ends),
    }
    return f"?{urlencode(values)}"


def _signature(container: str, path: str, may: str, ends: str) -> str:
    key = hashlib.blake2b(
        settings.SECRET_KEY.encode(), digest_size=32, person=b"studio-blobs"
    ).digest()
    # Quoted, so that no name with a line break in it reads as a path and further permissions.
    message = "\n".join((container, quote(path), may, ends)).encode()
    return base64.urlsafe_b64encode(hmac.digest(key, message, "sha256")).rstrip(b"=").decode()

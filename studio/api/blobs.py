"""The part of Azure's Blob REST that clients use for uploads and downloads (wire.md 8.3). An
address carries its own permission, so no token is needed; bodies are streamed, never held in
memory."""

import base64
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import IO
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date

from studio.api.arm import OpenView
from studio.api.containers import CHUNK, container_of, staged_name
from studio.core import file_names as names
from studio.core.errors import BadValue, Refused
from studio.core.rest.bodies import NO_LIMIT
from studio.storage import links, uploads
from studio.storage.store import IN_MEMORY, State

LONGEST_BLOCK_LIST = 8 * 1024 * 1024  # 50,000 block ids, the most that Azure takes
LARGEST_LISTING = 5000
UNFIT_FOR_XML = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Body:
    """A request's body as a file; raises if it is shorter than its length or does not match
    Content-MD5."""

    def __init__(self, request):
        self.source = request._request
        self.left = self._length(request)
        self.digest = hashlib.md5(usedforsecurity=False)
        self.expected = request.headers.get("Content-MD5") or ""

    def _length(self, request) -> int:
        text = request.META.get("CONTENT_LENGTH") or ""
        # For a chunked body nobody can tell whether it is complete.
        if not text.isdigit() or "Transfer-Encoding" in request.headers:
            raise Refused("Content-Length is required.", status=411)
        return int(text)

    def read(self, size: int = -1) -> bytes:
        chunk = self.source.read(min(size, self.left) if size and size > 0 else self.left)
        self.left -= len(chunk)
        self.digest.update(chunk)
        if not chunk:
            self.check()
        return chunk

    def check(self):
        if self.left:
            raise BadValue("The body ended before its length.", target="Content-Length")
        if self.expected and self.expected != self.md5:
            raise BadValue("The body is not what Content-MD5 says.", target="Content-MD5")

    @property
    def md5(self) -> str:
        return base64.b64encode(self.digest.digest()).decode()


class Blocks:
    """The staged blocks of a blob, read as a single file."""

    def __init__(self, names: list[str], stack: ExitStack):
        self.names, self.stack = names, stack
        self.current: IO[bytes] | None = None

    def read(self, size: int = -1) -> bytes:
        while True:
            if self.current is None:
                if not self.names:
                    return b""
                self.current = self.stack.enter_context(uploads.read(self.names.pop(0)))
            chunk = self.current.read(size)
            if chunk:
                return chunk
            self.current.close()
            self.current = None


class Blob(OpenView):
    body_limit = NO_LIMIT

    def check_sender(self, request, container, path):
        path, by = links.checked(container, path, request.query_params, verb="w")
        container_of(container).check_writer(path, by)

    def put(self, request, container, path):
        path, by = links.checked(container, path, request.query_params, verb="w")
        kind = request.query_params.get("comp", "")
        if kind == "block":
            container_of(container).check_writer(path, by)
            return self.put_block(request, container, path)
        if kind == "blocklist":
            return self.put_block_list(request, container, path, by=by)
        if kind == "appendblock":
            return self.append(request, container, path, by=by)
        if kind:
            raise BadValue(f"comp={kind} is not known here.", target="comp")
        body = Body(request)
        container_of(container).write(path, body, by=by)
        return self.stored(container, path, md5=body.md5)

    def put_block(self, request, container, path):
        block = request.query_params.get("blockid", "")
        if not 1 <= len(block) <= 100:
            raise BadValue("blockid is required.", target="blockid")
        body = Body(request)
        uploads.write(staged_name(container, path, block), body)
        return created(md5=body.md5)

    def put_block_list(self, request, container, path, *, by):
        names = [staged_name(container, path, block) for block in block_ids(request)]
        with ExitStack() as stack:
            container_of(container).write(path, Blocks(list(names), stack), by=by)
        for name in set(names):
            uploads.remove(name)
        return self.stored(container, path)

    def append(self, request, container, path, *, by):
        """Append to a blob: the SDK's runs send their logs in pieces."""
        body, behind = Body(request), container_of(container)
        size = behind.state(path).size
        expected = request.headers.get("x-ms-blob-condition-appendpos")
        if expected not in (None, str(size)):
            raise Refused(
                f"The blob has {size} bytes.", status=412, code="AppendPositionConditionNotMet"
            )
        # Without the condition several writers may append in any order.
        at = None if expected is None else size
        # The piece is complete and verified before the blob grows, so a torn request leaves no
        # trace.
        with SpooledTemporaryFile(max_size=IN_MEMORY) as whole:
            shutil.copyfileobj(body, whole, CHUNK)
            length = whole.tell()
            whole.seek(0)
            grown = behind.append(path, whole, at=at, by=by)
        response = self.stored(container, path, md5=body.md5)
        response["x-ms-blob-append-offset"] = str(grown - length)
        return response

    def stored(self, container: str, path: str, *, md5: str = "") -> HttpResponse:
        return stamped(created(md5=md5), path, container_of(container).state(path))

    def get(self, request, container, path):
        path, _ = links.checked(container, path, request.query_params, verb="r")
        behind = container_of(container)
        state = behind.state(path)
        wanted = wanted_range(request, state.size, etag=etag(path, state))
        start, end = wanted or (0, state.size)
        response = StreamingHttpResponse(
            behind.stream(path, start, end) if end > start else (),
            status=206 if wanted else 200,
            content_type=content_type(path),
        )
        if wanted:
            response["Content-Range"] = f"bytes {start}-{end - 1}/{state.size}"
        return conditional(request, described(response, path, state, length=end - start))

    def head(self, request, container, path):
        path, _ = links.checked(container, path, request.query_params, verb="r")
        state = container_of(container).state(path)
        response = HttpResponse(content_type=content_type(path))
        return conditional(request, described(response, path, state, length=state.size))


class BlobContainer(OpenView):
    """Lists a container, for clients that read datastores."""

    def get(self, request, container):
        links.checked(container, "", request.query_params, verb="l")
        query = request.query_params
        if query.get("restype") != "container" or query.get("comp") != "list":
            raise BadValue("Only restype=container&comp=list is known here.", target="comp")
        size = listing_size(query.get("maxresults", ""))
        prefix, marker = query.get("prefix", ""), names.unquoted(query.get("marker", ""))
        # A marker continues after a name, so results are ordered by name.
        found = sorted(row for row in container_of(container).list(prefix) if row[0] > marker)
        rows = found[: size + 1]
        following = rows[size - 1][0] if len(rows) > size else ""
        document = "".join(listing(container, prefix, rows[:size], following))
        return HttpResponse(document, content_type="application/xml")


def block_ids(request) -> list[str]:
    raw = request._request.read(LONGEST_BLOCK_LIST + 1)
    if len(raw) > LONGEST_BLOCK_LIST or b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise BadValue("The block list is too long, or declares entities.", target="body")
    try:
        root = ElementTree.fromstring(raw)  # noqa: S314 - no entities, checked above
    except ElementTree.ParseError as error:
        raise BadValue(f"The block list is not XML: {error}", target="body") from error
    return [(row.text or "").strip() for row in root if row.tag in ("Latest", "Uncommitted")]


class RangeNotSatisfiable(Refused):
    status = 416
    code = "InvalidRange"

    def __init__(self, size: int):
        super().__init__(f"The blob has {size} bytes.")
        self.headers = {"Content-Range": f"bytes */{size}"}


def wanted_range(request, size: int, *, etag: str) -> tuple[int, int] | None:
    """The bytes asked for, end exclusive; None for the whole blob and for an unreadable range."""
    text = request.headers.get("x-ms-range") or request.headers.get("Range") or ""
    match = RANGE.fullmatch(text.strip())
    if match is None or match.groups() == ("", ""):
        return None
    if request.headers.get("If-Range", etag) != etag:
        return None  # the blob has changed since: a part of it would not fit
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if start >= end:
        raise RangeNotSatisfiable(size)
    return start, end


def listing_size(text: str) -> int:
    if not text:
        return LARGEST_LISTING
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) < 10**8):
        raise BadValue(
            f"maxresults must be a positive number, not {text!r:.40}.", target="maxresults"
        )
    return min(int(text), LARGEST_LISTING)


def listing(container: str, prefix: str, rows, marker: str) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<EnumerationResults ContainerName="{escape(container)}">'
    yield f"<Prefix>{escape(_plain(prefix))}</Prefix><MaxResults>{len(rows)}</MaxResults><Blobs>"
    for path, state in rows:
        yield (
            f"<Blob>{_name(path)}<Properties>"
            f"<Last-Modified>{last_modified(state)}</Last-Modified>"
            f"<Etag>{escape(etag(path, state))}</Etag><Content-Length>{state.size}</Content-Length>"
            f"<Content-Type>{content_type(path)}</Content-Type><BlobType>BlockBlob</BlobType>"
            "</Properties></Blob>"
        )
    yield f"</Blobs><NextMarker>{escape(names.quoted(marker))}</NextMarker></EnumerationResults>"


def _name(path: str) -> str:
    """The name as Azure encodes one that XML cannot hold."""
    if _plain(path) == path:
        return f"<Name>{escape(path)}</Name>"
    return f'<Name Encoded="true">{names.quoted(path)}</Name>'


def _plain(text: str) -> str:
    return UNFIT_FOR_XML.sub("?", text)


def created(*, md5: str = "") -> HttpResponse:
    response = HttpResponse(status=201)
    if md5:
        response["Content-MD5"] = md5
    response["x-ms-version"] = links.VERSION
    response["x-ms-request-server-encrypted"] = "false"
    return response


def described(response, path: str, state: State, *, length: int):
    response["Content-Length"] = str(length)
    response["Accept-Ranges"] = "bytes"
    stamped(response, path, state)
    response["x-ms-blob-type"] = "BlockBlob"
    response["x-ms-version"] = links.VERSION
    # Runs wrote these files: a browser must not treat them as pages of ours.
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def stamped(response, path: str, state: State):
    response["ETag"] = etag(path, state)
    response["Last-Modified"] = last_modified(state)
    return response


def conditional(request, response):
    """The response, or 304 or 412 for If-None-Match and similar headers."""
    modified = parse_http_date(response["Last-Modified"])
    answer = get_conditional_response(
        request._request, etag=response["ETag"], last_modified=modified, response=response
    )
    if answer.status_code == 412:
        raise Refused("The blob has changed since.", status=412, code="ConditionNotMet")
    return answer


def etag(path: str, state: State) -> str:
    """The ETag with quotes, as headers and comparisons need it."""
    return f'"{hashlib.sha256(os.fsencode(f"{path}:{state.version}")).hexdigest()[:24]}"'


def last_modified(state: State) -> str:
    return http_date(state.modified.timestamp())


def content_type(path: str) -> str:
    """Text is shown as text, anything else is a download."""
    is_text = path.rpartition(".")[2].lower() in ("txt", "log", "csv", "json", "md", "yml", "yaml")
    return "text/plain; charset=utf-8" if is_text else "application/octet-stream"

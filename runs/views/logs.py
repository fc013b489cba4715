"""Logs of steps: the end of one on a page, what it gains since, and the whole of it as a file."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlencode

from django.http import Http404, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from runs import storage
from runs.models import Run
from runs.views import fragments, scope

TAIL_BYTES = 128 * 1024  # what a page opens with
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Piece:
    """Decoded text of a log, and the byte at which it goes on; None once it has ended."""

    text: str
    following: int | None


def read(run: Run, name: str, *, start: int, limit: int = CHUNK_BYTES) -> Piece:
    """`run` was read before the log is: what is over by then writes no more."""
    data = storage.read_log(scope.source_of(run).uuid, name, start=start, limit=limit)
    if run.is_terminal and len(data) < limit:
        return Piece(data.decode(errors="replace"), None)
    whole = _whole_characters(data)
    return Piece(data[:whole].decode(errors="replace"), start + whole)


def _whole_characters(data: bytes) -> int:
    """How many bytes there are without a letter that is cut off at the end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:  # not within a letter: its first byte tells how many follow
            length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) if length <= back else len(data) - back
    return len(data)


def pane(request, run: Run) -> dict:
    """What components/log.html shows of a step: the end of one of its logs, and the others."""
    owner = scope.source_of(run)
    names = storage.log_names(owner.uuid) or [storage.DRIVER_LOG]
    name = request.GET.get("file")
    if name not in names:
        name = storage.DRIVER_LOG if storage.DRIVER_LOG in names else names[0]
    size = storage.log_size(owner.uuid, name)
    whole = "whole" in request.GET
    start = 0 if whole else max(0, size - TAIL_BYTES)
    piece = read(run, name, start=start)
    text = piece.text.partition("\n")[2] if start else piece.text
    if not text and piece.following is None:
        text = _("This step has written nothing.")
    return {
        "title": name,
        "text": text,
        "next_url": _next_url(run, name, piece),
        "download_url": f"{address(run, name)}&download=1",
        "files": [
            {"label": other, "url": _here(request, file=other), "current": other == name}
            for other in names
        ]
        if len(names) > 1
        else [],
        "skipped_url": _here(request, file=name, whole="1") if start else "",
    }


def address(run: Run, name: str) -> str:
    return f"{reverse('runs:run-log', args=[run.uuid])}?{urlencode({'file': name})}"


def _next_url(run: Run, name: str, piece: Piece) -> str:
    return "" if piece.following is None else f"{address(run, name)}&from={piece.following}"


def _here(request, **changes) -> str:
    query = request.GET.copy()
    query.pop("whole", None)
    for key, value in changes.items():
        query[key] = value
    return f"?{query.urlencode()}#log"


@require_safe
def log(request, uuid):
    """What a log has gained since byte `from`, for the page that shows it; else the log as text."""
    run = scope.find_any(request, uuid)
    name = request.GET.get("file") or storage.DRIVER_LOG
    if name != storage.DRIVER_LOG and name not in storage.log_names(scope.source_of(run).uuid):
        raise Http404
    if not request.htmx:
        return _as_text(request, run, name)
    start = request.GET.get("from", "")
    piece = read(run, name, start=int(start) if start.isdecimal() and len(start) < 19 else 0)
    context = {"text": piece.text, "next_url": _next_url(run, name, piece)}
    return fragments.private(render(request, "components/log_lines.html", context))


def _as_text(request, run: Run, name: str):
    lines = storage.stream_log(scope.source_of(run).uuid, name)
    response = StreamingHttpResponse(lines, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(
        "download" in request.GET, f"{run.uuid}-{PurePosixPath(name).name}"
    )
    return fragments.guarded(response)

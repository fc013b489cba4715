"""Logs: a part on a page, what has been added since, and the whole log as a file."""

from pathlib import PurePosixPath
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from runs.models import Kind, Run
from runs.parts import visible_runs
from runs.states import Status
from runs.views import log_files, log_lines
from runs.views.log_files import Log
from runs.views.log_lines import Piece
from studio.core.ui import fragments


def pane(request, run: Run) -> dict:
    """What components/log.html shows: a log of the run, around a line or at its end."""
    found = log_files.log_names(run)
    name = request.GET.get("file")
    if name not in found:
        name = log_files.default_name(run)
    log = log_files.of(run, name)
    attempt = _number(request, "attempt")
    number = _number(request, "line")
    low, high = log.attempts.get(attempt, (0, log.size)) if not number else (0, log.size)
    piece = log_lines.around(log, number) if number else log_lines.tail(log, low=low, high=high)
    is_end = piece.end >= log.size
    wrong = log_lines.first_error(piece) if run.status == Status.FAILED and not number else 0
    shown, anew = log_lines.markup(piece, _line_address(log), marked=number or wrong)
    return {
        "title": name,
        "short_title": PurePosixPath(name).name,
        "lines": shown,
        "anew": anew,
        "is_empty": not piece.text and run.is_terminal,
        "next_url": "" if not is_end or run.is_terminal else _next_url(log, piece),
        "whole_url": address(log),
        "download_url": f"{address(log)}&download=1",
        "first": piece.line,
        "last": 0 if is_end else piece.line + piece.count - 1,
        "is_part": piece.start > 0 or not is_end,
        "zip_url": reverse("runs:run-zip", args=[run.uuid]) if run.kind == Kind.STEP else "",
        "error_line": wrong,
        "at": f"L{number or wrong}" if number or wrong else "",
        "query": urlencode({"step": run.uuid, "file": name}),
        "kept": [("step", run.uuid), ("file", name)],
        "files": _menu(request, [(other, other) for other in found], "file", name),
        "attempts": _attempts(request, log, attempt, number),
        "earlier_url": _here(request, line=max(1, piece.line - log_lines.SHOWN // 2))
        if piece.line > 1
        else "",
        "latest_url": "" if is_end else _here(request),
        "later_url": ""
        if is_end
        else _here(request, line=piece.line + piece.count + log_lines.SHOWN // 2),
    }


def _attempts(request, log: Log, attempt: int, number: int) -> list[dict]:
    if len(log.attempts) < 2:
        return []
    choices = [("", _("All attempts"))]
    choices += [(str(each), _("Attempt %(number)d") % {"number": each}) for each in log.attempts]
    shown = str(attempt) if attempt in log.attempts and not number else ""
    return _menu(request, choices, "attempt", shown)


def _menu(request, choices: list[tuple[str, str]], key: str, current: str) -> list[dict]:
    return [
        {"label": label, "url": _here(request, **{key: value}), "current": value == current}
        for value, label in choices
    ]


def _here(request, **changes) -> str:
    """This page with another part of the log. Choosing a file or an attempt begins at its end."""
    query = request.GET.copy()
    for key in ("line", "attempt"):
        query.pop(key, None)
    for key, value in changes.items():
        query[key] = value
    line = changes.get("line")
    return f"?{query.urlencode()}#{f'L{line}' if line else 'log'}"


def address(log: Log) -> str:
    return f"{reverse('runs:run-log', args=[log.run.uuid])}?{urlencode({'file': log.name})}"


def _line_address(log: Log) -> str:
    """The address of a line on the page of its run, which stays valid."""
    page = reverse("runs:run-detail", args=[log.run.uuid])
    if log.name == log_files.default_name(log.run) and log.run.kind != Kind.PIPELINE:
        return f"{page}?line="
    page = reverse("runs:run-outputs", args=[log.run.uuid]) if log.run.parent is None else page
    return f"{page}?{urlencode({'step': log.run.uuid, 'file': log.name})}&line="


def _next_url(log: Log, piece: Piece) -> str:
    place = {
        "from": piece.next_start,
        "line": piece.next_line,
        "open": int(piece.next_is_open),
        "seen": piece.end,
    }
    return f"{address(log)}&{urlencode(place)}"


def _number(request, key: str) -> int:
    text = request.GET.get(key, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@require_safe
def log(request, uuid):
    """What a log has gained since byte `from`, for the page that shows it; else the whole log as
    text."""
    run = visible_runs.find_any(request, uuid)
    name = request.GET.get("file") or log_files.default_name(run)
    if name != log_files.default_name(run) and name not in log_files.log_names(run):
        raise Http404
    found = log_files.of(run, name)
    if not request.htmx:
        return _as_text(request, found)
    if not run.is_terminal and _number(request, "seen") == found.size > 0:
        return fragments.private(HttpResponse(status=204))
    start = _number(request, "from")
    piece = log_lines.piece_from(
        found,
        start=start,
        line=_number(request, "line") or int(not start),
        is_open=request.GET.get("open") == "1",
        is_over=run.is_terminal,
    )
    # `run` was read before the log: if it was over then, nothing more is written.
    is_over = run.is_terminal and piece.end - start < log_lines.CHUNK_BYTES
    shown, anew = log_lines.markup(piece, _line_address(found))
    context = {
        "lines": shown,
        "anew": anew,
        "next_url": "" if is_over else _next_url(found, piece),
        "is_behind": piece.end < found.size,
    }
    return fragments.private(render(request, "components/log_lines.html", context))


def _as_text(request, found: Log):
    response = StreamingHttpResponse(found.stream(), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(
        "download" in request.GET, f"{found.run.uuid}-{PurePosixPath(found.name).name}"
    )
    return fragments.guarded(response)

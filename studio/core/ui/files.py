"""Sends files of callers and steps to browsers."""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO

from django.http import FileResponse, Http404

from studio.core import file_names
from studio.core.ui.fragments import guarded

# Types that a browser shows without running anything; others are downloaded.
IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",  # scripts do not run: sandboxed when opened, and never in <img>
}
TEXTS = {
    *(".txt", ".log", ".csv", ".tsv", ".json", ".jsonl", ".md", ".py", ".r", ".sh", ".sql"),
    *(".yml", ".yaml", ".toml", ".ini", ".cfg"),
}


def is_image(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in IMAGES


def answer(request, path: str, opened: Callable[[], IO[bytes]]) -> FileResponse:
    """The file for a browser: shown if it cannot run code, else downloaded."""
    suffix = PurePosixPath(path).suffix.lower()
    kind = IMAGES.get(suffix) or ("text/plain; charset=utf-8" if suffix in TEXTS else None)
    try:
        stream = opened()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise Http404 from error
    response = FileResponse(
        stream,
        as_attachment=kind is None or "download" in request.GET,
        filename=file_names.shown(PurePosixPath(path).name),
        content_type=kind or "application/octet-stream",
    )
    return guarded(response)

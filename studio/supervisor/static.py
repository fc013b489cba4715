"""Static files, collected and compressed only when one of them has changed."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from studio.supervisor.datafolder import write_private


def _record() -> Path:
    return settings.STUDIO_DATA / "static.sha256"


def is_current() -> bool:
    record = _record()
    return settings.STATIC_ROOT.is_dir() and record.is_file() and record.read_text() == _digest()


def collect() -> None:
    digest = _digest()
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    write_private(_record(), digest)


def _digest() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()

"""Keeping files as artifacts of a run. No access is checked here: services and the worker have done so."""

from functools import partial
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from runs.models import (
    Artifact,
    Run,
)
from runs.tracking.author import Author, Superseded, lock
from runs.tracking.model_files import ModelFiles
from studio.core.db.transactions import write_transaction
from studio.storage.failures import storing
from studio.storage.paths import relative_path
from studio.storage.store import studio_store


def checked(path: str) -> str:
    """The path of an artifact; scripts give their files any names."""
    return relative_path(path, backslash=True)


def store_file(
    run: Run, path: str, source: Path, *, author: Author, models: ModelFiles | None = None
) -> str:
    """`add_artifact`, unless the file is one of the run's registered `models`: why it was not kept."""
    path = checked(path)
    refusal = (models or ModelFiles(run)).why_not(path, source)
    if refusal is None:
        add_artifact(run.pk, run.uuid, path, source, author=author)
    return refusal or ""


def add_artifact(
    run_id: int, run_uuid: UUID, path: str, source: Path, *, author: Author | None = None
) -> Artifact:
    """Keep a copy of a local file as an artifact of a run; a second one of its path replaces it."""
    path = checked(path)
    blob = blob_of(run_uuid, path, author)
    with source.open("rb"), storing(path):  # a file that cannot be read is no matter of the storage
        size = studio_store().copy_in(source, blob)
    with write_transaction():
        attempt = lock(author, run_id) if author else None
        if author is None or attempt is not None:
            return record_artifact(run_id, path=path, blob=blob, size=size, attempt=attempt)
    raise Superseded


def blob_of(run_uuid: UUID, path: str, author: Author | None = None) -> str:
    """Where an artifact is kept."""
    return f"{folder_of(run_uuid, author)}/{checked(path)}"


def folder_of(run_uuid: UUID, author: Author | None = None) -> str:
    """Attempts of a step have a place each, so that a lost one which still writes reaches no other."""
    place = f".{author.step_id}.{author.attempt}" if author else ""
    return f"runs/{run_uuid}/artifacts{place}"


def blob_at(run_uuid: UUID, path: str) -> str:
    """Where an artifact is, or would be for whoever is no step."""
    known = Artifact.objects.filter(run__uuid=run_uuid, path=checked(path))
    return known.values_list("blob", flat=True).first() or blob_of(run_uuid, path)


def record_artifact(
    run_id: int, *, path: str, blob: str, size: int, attempt: int | None = None
) -> Artifact:
    if attempt is not None:  # others write to the place where the file is
        _remove_replaced(run_id, path=path, blob=blob)
    artifact, _ = Artifact.objects.update_or_create(
        run_id=run_id,
        path=path,
        defaults={
            "blob": blob,
            "size": size,
            "attempt": attempt,
            "created_at": timezone.now(),
        },
    )
    return artifact


def _remove_replaced(run_id: int, *, path: str, blob: str) -> None:
    """Of two steps that upload a file of one name to the run above them, the last one's is kept."""
    replaced = Artifact.objects.filter(run=run_id, path=path).exclude(blob=blob)
    gone = list(replaced.values_list("blob", flat=True))
    if gone:
        transaction.on_commit(partial(studio_store().remove, *gone), robust=True)

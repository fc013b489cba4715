"""Stores files as artifacts of a run. Does not check access: services and the worker have done so."""

from pathlib import Path
from uuid import UUID

from django.utils import timezone

from runs.models import Artifact, ReplacedArtifact, Run
from runs.tracking import model_files, replaced_artifacts
from runs.tracking.author import Author, Superseded, lock
from runs.tracking.model_files import ModelFile, ModelFiles
from studio.core.db.transactions import write_transaction
from studio.core.errors import Conflict
from studio.storage.failures import storing
from studio.storage.paths import relative_path
from studio.storage.store import studio_store


def checked(path: str) -> str:
    """The checked path of an artifact. Backslashes are allowed, since scripts use any names."""
    return relative_path(path, backslash=True)


def store_file(
    run: Run, path: str, source: Path, *, author: Author, models: ModelFiles | None = None
) -> str:
    """`add_artifact`, unless the file would change one of the run's registered `models`; returns why it was
    not stored, or ""."""
    path = checked(path)
    refusal = (models or ModelFiles(run)).why_not(path, source)
    if refusal is None:
        try:
            add_artifact(run, path, source, author=author)
        except ModelFile as error:  # it has become one just now
            return error.message
    return refusal or ""


def add_artifact(run: Run, path: str, source: Path, *, author: Author | None = None) -> Artifact:
    """Store a copy of a local file as an artifact of a run; replaces an artifact with the same path."""
    path = checked(path)
    blob = blob_of(run.uuid, path, author)
    # A file that is stored already may become a model's at any moment.
    is_stored = Artifact.objects.filter(run=run, path=path, blob=blob).exists()
    writing = model_files.writing(run, path) if is_stored else None
    # Open the source first: an unreadable file must not look like a failure of the storage.
    with source.open("rb"), storing(path):
        size = studio_store().copy_in(source, blob, writing=writing)
    with write_transaction():
        attempt = lock(author, run.pk) if author else None
        if author is None or attempt is not None:
            return record_artifact(run.pk, path=path, blob=blob, size=size, attempt=attempt)
    raise Superseded


def blob_of(run_uuid: UUID, path: str, author: Author | None = None) -> str:
    """Where to store an artifact."""
    return f"{folder_of(run_uuid, author)}/{checked(path)}"


def folder_of(run_uuid: UUID, author: Author | None = None) -> str:
    """The folder of a run's artifacts. Each attempt of a step has its own, so that a lost attempt that still
    writes cannot overwrite the files of another."""
    place = f".{author.step_id}.{author.attempt}" if author else ""
    return f"runs/{run_uuid}/artifacts{place}"


def blob_at(run_uuid: UUID, path: str) -> str:
    """Where an artifact is, or where to store it if it is new and not written by a step."""
    known = Artifact.objects.filter(run__uuid=run_uuid, path=checked(path))
    return known.values_list("blob", flat=True).first() or blob_of(run_uuid, path)


def record_artifact(
    run_id: int, *, path: str, blob: str, size: int, attempt: int | None = None
) -> Artifact:
    """`attempt`: the one that stores it, which has locked the run (see `lock`); None for anybody else."""
    if attempt is None:  # nobody else stores a first file at this path meanwhile
        model_files.lock(run_id)
    current = Artifact.objects.select_for_update().filter(run=run_id, path=path).first()
    if current is not None and current.blob != blob:
        replaced_artifacts.record(current, attempt=attempt, blob=blob)
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


def record_appended(run_id: int, *, path: str, blob: str, size: int) -> Artifact:
    """Record the new size of a file; it still belongs to the attempt that began it. If somebody has replaced
    it meanwhile, it stays replaced."""
    current = Artifact.objects.select_for_update().filter(run=run_id, path=path).first()
    if current is not None and current.blob == blob:
        return record_artifact(run_id, path=path, blob=blob, size=size, attempt=current.attempt)
    replaced = ReplacedArtifact.objects.filter(run=run_id, path=path, blob=blob)
    if current is None or not replaced.update(size=size):
        raise Conflict(f"Somebody else has replaced or removed {path!r} meanwhile.")
    return current

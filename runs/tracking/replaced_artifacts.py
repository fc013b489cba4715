"""Files of a run that steps have replaced. They are stored until the step ends, and restored if the attempt
that replaced them is lost.

The files at one path form a stack: the artifact itself is on top, and each `ReplacedArtifact` is what the
attempt it names has replaced. An attempt has at most one file in it. A file that no step wrote is at the
bottom, because it is never withdrawn."""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from runs.models import Artifact, ReplacedArtifact, StepAttempt
from runs.tracking import model_files
from studio.storage.store import studio_store

# How long a replaced file stays in the storage after the end of the step that replaced it.
WAIT = timedelta(hours=1)


def record(current: Artifact, *, attempt: int | None, blob: str) -> None:
    """Call this before `attempt`, or somebody who is no step (None), replaces the `current` file by the one
    in `blob`."""
    stack = ReplacedArtifact.objects.filter(run=current.run_id, path=current.path)
    if attempt is None:
        files = [(current.blob, current.attempt), *stack.values_list("blob", "attempt")]
        _remove_from_storage({old for old, by in files if old != blob and not _is_running(by)})
        stack.delete()
        return
    _take_out(stack, attempt)
    ReplacedArtifact.objects.create(
        run_id=current.run_id,
        path=current.path,
        replaced_by_id=attempt,
        blob=current.blob,
        size=current.size,
        attempt=current.attempt,
        created_at=current.created_at,
    )


def restore(attempt: int, withdrawn: QuerySet[Artifact]) -> None:
    """Restore what the attempt has replaced, and delete its other artifacts. `withdrawn` are its
    artifacts."""
    for replaced in ReplacedArtifact.objects.filter(replaced_by=attempt):
        restored = withdrawn.filter(run=replaced.run_id, path=replaced.path).update(
            blob=replaced.blob,
            size=replaced.size,
            attempt=replaced.attempt,
            created_at=replaced.created_at,
        )
        if restored:
            replaced.delete()
        else:  # another attempt has replaced the file since
            stack = ReplacedArtifact.objects.filter(run=replaced.run_id, path=replaced.path)
            _take_out(stack, attempt)
    withdrawn.delete()
    # Only now: the deletion has waited for those who were replacing one of these artifacts.
    ReplacedArtifact.objects.filter(attempt=attempt).delete()


def _take_out(stack: QuerySet[ReplacedArtifact], attempt: int) -> None:
    """Take the attempt's file out of the stack: who replaced it has now replaced what is below it."""
    below = stack.filter(replaced_by=attempt).first()
    above = stack.filter(attempt=attempt).first()
    if above is not None:
        above.delete()
    if below is None:
        return
    if above is None:
        below.delete()
        _remove_from_storage({below.blob})
    else:
        below.replaced_by_id = above.replaced_by_id
        below.save(update_fields=["replaced_by"])


def clean_up(now: datetime | None = None) -> None:
    """Remove replaced files that will not be restored any more, because the step that replaced them has
    ended."""
    before = (now or timezone.now()) - WAIT
    over = ReplacedArtifact.objects.filter(replaced_by__step__run__finished_at__lte=before)
    for row in over:
        if _is_running(row.attempt):
            continue
        with transaction.atomic():
            model_files.lock(row.run_id)  # nobody stores the file meanwhile
            if _is_older(row.blob, before):
                studio_store().remove(row.blob)
                row.delete()


def _is_running(attempt: int | None) -> bool:
    """Whether the step still runs, so that it may be storing the same file again at this moment."""
    if attempt is None:
        return False
    return StepAttempt.objects.filter(pk=attempt, step__run__finished_at=None).exists()


def _is_older(blob: str, before: datetime) -> bool:
    """Whether nobody has stored the file again since then."""
    try:
        return studio_store().state(blob).modified < before
    except FileNotFoundError:
        return True


def _remove_from_storage(blobs: set[str]) -> None:
    """Remove the files after the commit."""
    if blobs:
        transaction.on_commit(partial(studio_store().remove, *blobs), robust=True)

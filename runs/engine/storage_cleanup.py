"""Removes from the storage the files of attempts that another attempt replaced. Nothing refers to these
files: each attempt stores its outputs in places of its own, and its artifacts' rows were deleted.

This waits until the step is over and some time has passed, because a paused worker may still write when
it resumes. If such an attempt ends late, its places are cleaned up once more."""

import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from endpoints import data
from endpoints.models import SavedDataset
from runs.engine import worker_names
from runs.engine.claim import Claim
from runs.engine.plan import places_of_attempt
from runs.engine.stored_outputs import listing_of, listings_of, read_listing
from runs.models import Artifact, Kind, Run, StepAttempt, StepRun, Worker
from runs.tracking import artifacts, withdrawal
from runs.tracking.author import Author
from studio.core.errors import BadValue
from studio.storage.store import studio_store

WAIT = timedelta(hours=1)
WILDCARD = re.compile(r"[*?]")

logger = logging.getLogger(__name__)


def abandon(claim: Claim, *, at: datetime) -> None:
    """Record where an attempt that another one will replace may have left files: the places of its outputs,
    and the runs that it may have uploaded to. Call this before `withdraw`, which deletes the child
    runs that the attempt began."""
    step = StepRun.objects.select_related("run__parent").get(pk=claim.step_id)
    own, above = withdrawal.runs_of(step.run)
    begun = Run.objects.filter(parent__in=own, kind=Kind.CHILD, attempt=claim.attempt)
    below = [pk for child in begun for pk in Run.objects.below(child)]
    runs = Run.objects.filter(pk__in=[*own, above, *below])
    StepAttempt.objects.filter(step=step, number=claim.attempt).update(
        abandoned={
            "outputs": places_of_attempt(
                step.outputs, step_uuid=step.run.uuid, attempt=claim.attempt
            ),
            "runs": list(map(str, runs.values_list("uuid", flat=True))),
        },
        cleanup_at=at + WAIT,
    )


def postpone(claim: Claim, *, at: datetime) -> None:
    """Schedule another cleanup for an attempt that ended after it was replaced: it may have written
    until now."""
    attempts = StepAttempt.objects.filter(step=claim.step_id, number=claim.attempt)
    attempts.exclude(abandoned={}).update(cleanup_at=at + WAIT)


def clean_up(now: datetime | None = None) -> int:
    """Clean up all attempts that are due; returns how many. An attempt that cannot be cleaned up now is
    tried again the next time and does not hold up the others."""
    due = StepAttempt.objects.filter(
        cleanup_at__lte=now or timezone.now(),
        step__run__finished_at__isnull=False,
        step__run__attempt__gt=F("number"),  # only if another attempt followed
    ).select_related("step__run__workspace")
    done = 0
    for attempt in list(due):
        if _may_still_write(attempt.worker) or not _remove(attempt):
            continue
        # Not if `postpone` has set a new time meanwhile.
        of_this = StepAttempt.objects.filter(pk=attempt.pk, cleanup_at=attempt.cleanup_at)
        done += of_this.update(cleanup_at=None)
    if done:
        logger.info("removed the files of %d replaced attempts from the storage", done)
    return done


def _may_still_write(worker: str) -> bool:
    """Whether the worker's process exists but is paused (it sends no heartbeats), so that it may write
    when it resumes. A running worker has noticed by now that it lost the step."""
    return bool(worker_names.is_there(worker)) and not Worker.objects.filter(name=worker).exists()


def _remove(attempt: StepAttempt) -> bool:
    """Remove the files of an attempt; True if all are gone. A failure in one place does not stop the rest."""
    run = attempt.step.run
    removing: list[Callable[[], None]] = [
        partial(_remove_output, attempt, port, place)
        for port, place in attempt.abandoned["outputs"].items()
    ]
    author = Author(attempt.step_id, attempt.number)
    removing += [
        partial(_remove_artifacts, artifacts.folder_of(UUID(uuid), author), uuid)
        for uuid in attempt.abandoned["runs"]
    ]
    is_gone = True
    for remove in removing:
        try:
            remove()
        except Exception:
            logger.warning("some files of %s cannot be removed now", attempt, exc_info=True)
            is_gone = False
    if is_gone:  # only then: the listings name the files to remove
        studio_store().remove_folder(listings_of(run.uuid, attempt.number))
    return is_gone


def _remove_output(attempt: StepAttempt, port: str, place: Mapping[str, str]) -> None:
    step = attempt.step
    try:
        known = read_listing(listing_of(step.run.uuid, attempt.number, port))
        location = data.locate(step.run.workspace, place["datastore"], place["path"])
    except (FileNotFoundError, BadValue, data.PathError):
        return  # nothing was stored, the datastore is gone, or a link leads out of it
    if not _is_in_use(step, place):
        data.remove_files(location, known, up_to=str(step.run.uuid))


def _is_in_use(step: StepRun, place: Mapping[str, str]) -> bool:
    """Whether a dataset refers to the place, or it overlaps with an output that counts: callers choose the
    names of destinations. Compares only what follows the step's id in a path, because two datastores may
    be the same folder, or one inside the other."""
    uuid = str(step.run.uuid)
    counting = [f"{output['path']}/" for output in step.outputs.values() if "stored" in output]
    used = [path.partition(uuid)[2] for path in counting if uuid in path]
    for saved in SavedDataset.objects.filter(dataflow__contains=uuid):
        for _, uri in data.read_dataflow(saved.dataflow).paths:
            _, path = data.datastore_path(uri) or ("", uri)
            if uuid in path:
                used.append(WILDCARD.split(path.partition(uuid)[2])[0])
    ours = f"{place['path']}/".partition(uuid)[2]
    return any(path.startswith(ours) or ours.startswith(path) for path in used)


def _remove_artifacts(folder: str, run_uuid: str) -> None:
    used = Artifact.objects.filter(run__uuid=run_uuid, blob__startswith=f"{folder}/")
    studio_store().remove_folder(folder, sparing=set(used.values_list("blob", flat=True)))

"""Removing from the storage what attempts left that were taken over by another one. Nothing points to it:
an attempt has places of its own for outputs, and its files have left the rows of their runs.

It is done once the step is over and some time has passed, since a paused worker may still write when it
goes on; whoever ends such an attempt late has its places looked at again."""

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
    """Note where an attempt that another one follows may have left something: the places of its outputs,
    and the runs that it may have uploaded to. Called before its facts are withdrawn, with the runs
    that it began."""
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
    """Of an attempt that ends after it was taken over: it may have written until now."""
    attempts = StepAttempt.objects.filter(step=claim.step_id, number=claim.attempt)
    attempts.exclude(abandoned={}).update(cleanup_at=at + WAIT)


def clean_up(now: datetime | None = None) -> int:
    """Remove all of it that is due; returns of how many attempts. What cannot be removed now is tried
    again the next time, and keeps nobody else's."""
    due = StepAttempt.objects.filter(
        cleanup_at__lte=now or timezone.now(),
        step__run__finished_at__isnull=False,
        step__run__attempt__gt=F("number"),  # else nobody did its work again
    ).select_related("step__run__workspace")
    done = 0
    for attempt in list(due):
        if _may_still_write(attempt.worker) or not _remove(attempt):
            continue
        # Unless it has just been noted anew.
        of_this = StepAttempt.objects.filter(pk=attempt.pk, cleanup_at=attempt.cleanup_at)
        done += of_this.update(cleanup_at=None)
    if done:
        logger.info("removed from the storage what %d lost attempts had left", done)
    return done


def _may_still_write(worker: str) -> bool:
    """A process that is paused writes when it goes on; one that lives has heard of its loss by now."""
    return bool(worker_names.is_there(worker)) and not Worker.objects.filter(name=worker).exists()


def _remove(attempt: StepAttempt) -> bool:
    """Whether all of it is gone; what one store keeps is no reason to keep the rest."""
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
            logger.warning("something that %s left cannot be removed now", attempt, exc_info=True)
            is_gone = False
    if is_gone:  # the listings say what is to be removed
        studio_store().remove_folder(listings_of(run.uuid, attempt.number))
    return is_gone


def _remove_output(attempt: StepAttempt, port: str, place: Mapping[str, str]) -> None:
    step = attempt.step
    try:
        known = read_listing(listing_of(step.run.uuid, attempt.number, port))
        location = data.locate(step.run.workspace, place["datastore"], place["path"])
    except (FileNotFoundError, BadValue, data.PathError):
        return  # it had stored nothing, the datastore is gone, or a link leads elsewhere
    if not _is_wanted(step, place):
        data.remove_files(location, known, up_to=str(step.run.uuid))


def _is_wanted(step: StepRun, place: Mapping[str, str]) -> bool:
    """Whether somebody made a dataset of it, or what counts lies at the same place: callers choose the
    names of destinations. Two datastores may be the same folder, or one a folder of the other: only what
    follows the step's id in a path is compared."""
    uuid = str(step.run.uuid)
    counting = [f"{output['path']}/" for output in step.outputs.values() if "stored" in output]
    wanted = [path.partition(uuid)[2] for path in counting if uuid in path]
    for saved in SavedDataset.objects.filter(dataflow__contains=uuid):
        for _, uri in data.read_dataflow(saved.dataflow).paths:
            _, path = data.datastore_path(uri) or ("", uri)
            if uuid in path:
                wanted.append(WILDCARD.split(path.partition(uuid)[2])[0])
    ours = f"{place['path']}/".partition(uuid)[2]
    return any(path.startswith(ours) or ours.startswith(path) for path in wanted)


def _remove_artifacts(folder: str, run_uuid: str) -> None:
    used = Artifact.objects.filter(run__uuid=run_uuid, blob__startswith=f"{folder}/")
    studio_store().remove_folder(folder, sparing=set(used.values_list("blob", flat=True)))

"""Removing from the storage what attempts left that were taken over by another one. Nothing points to it:
an attempt has places of its own for outputs, and its files have left the rows of their runs.

It is done once the step is over and some time has passed, since a paused worker may still write when it
goes on; whoever ends such an attempt late has its places looked at again."""

import logging
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from endpoints import data
from endpoints.roots import StoreFailed, storing
from runs import facts, storage
from runs.engine import names
from runs.engine.claim import Claim
from runs.engine.plan import places_of_attempt
from runs.engine.stored import listings_of
from runs.models import Artifact, Kind, Run, StepAttempt, StepRun, Worker
from studio.core.errors import BadValue, Refused

WAIT = timedelta(hours=1)

logger = logging.getLogger(__name__)


def abandon(claim: Claim, *, at: datetime) -> None:
    """Note where an attempt that another one follows may have left something: the places of its outputs,
    and the runs that it may have uploaded to. Called before its facts are withdrawn, with the runs
    that it began."""
    step = StepRun.objects.select_related("run__parent").get(pk=claim.step_id)
    own = [step.run, step.run.parent]
    begun = Run.objects.filter(parent__in=own, kind=Kind.CHILD, attempt=claim.attempt)
    below = [pk for child in begun for pk in Run.objects.below(child)]
    runs = Run.objects.filter(pk__in=[run.pk for run in own] + below)
    places = places_of_attempt(step.outputs, step_uuid=step.run.uuid, attempt=claim.attempt)
    StepAttempt.objects.filter(step=step, number=claim.attempt).update(
        abandoned={
            "outputs": [[place["datastore"], place["path"]] for place in places.values()],
            "runs": list(map(str, runs.values_list("uuid", flat=True))),
        },
        cleanup_at=at + WAIT,
    )


def look_again(claim: Claim, *, at: datetime) -> None:
    """Of an attempt that ends after it was taken over: it may have written until now."""
    StepAttempt.objects.filter(step=claim.step_id, number=claim.attempt).exclude(
        abandoned={}
    ).update(cleanup_at=at + WAIT)


def clean_up(now: datetime | None = None) -> int:
    """Remove all of it that is due; returns of how many attempts. What cannot be removed now is tried
    again the next time."""
    due = StepAttempt.objects.filter(
        cleanup_at__lte=now or timezone.now(), step__run__finished_at__isnull=False
    ).select_related("step__run__workspace")
    done = 0
    for attempt in due.iterator():
        if _may_still_write(attempt.worker):
            continue
        try:
            _remove(attempt)
        except (StoreFailed, OSError, Refused):
            logger.warning("what %s left is still there", attempt, exc_info=True)
            continue
        # Unless it has just been noted anew.
        of_this = Q(pk=attempt.pk, cleanup_at=attempt.cleanup_at)
        done += StepAttempt.objects.filter(of_this).update(cleanup_at=None)
    if done:
        logger.info("removed from the storage what %d lost attempts had left", done)
    return done


def _may_still_write(worker: str) -> bool:
    """A process that is paused writes when it goes on; one that lives has heard of its loss by now."""
    return bool(names.is_there(worker)) and not Worker.objects.filter(name=worker).exists()


def _remove(attempt: StepAttempt) -> None:
    run = attempt.step.run
    for datastore, path in attempt.abandoned["outputs"]:
        try:
            place = data.locate(run.workspace, datastore, path)
        except (BadValue, data.PathError):  # the datastore is gone, or a link leads elsewhere
            continue
        with storing(str(place)):
            if place.exists():  # which refuses where a share is not mounted now
                data.remove_tree(place, up_to=str(run.uuid))
    listings = listings_of(run.uuid, attempt.number)
    with storing(listings):
        storage.remove_folder(listings)
    author = facts.Author(attempt.step_id, attempt.number)
    for uuid in attempt.abandoned["runs"]:
        folder = facts.folder_of(uuid, author)
        kept = Artifact.objects.filter(run__uuid=uuid, blob__startswith=f"{folder}/")
        with storing(folder):
            storage.remove_folder(folder, sparing=set(kept.values_list("blob", flat=True)))

"""Outputs whose destination somebody chose are stored in a place of the attempt's own, and moved when they
count. That is decided in one write, with all that is to be known for it: whoever takes the step up
after that, since a worker was lost, moves what is not moved yet, and the step does not run again."""

from collections.abc import Collection
from functools import partial
from typing import Any

from endpoints import data
from runs.engine import output_datasets, stored_outputs
from runs.engine.claim import Claim
from runs.engine.job import Job
from runs.engine.outages import OutageRetry
from runs.models import Run, StepRun
from runs.states import IN_PROGRESS, Status
from studio.core.db.transactions import write_transaction
from studio.core.db.writable import writable


def deliver(
    job: Job, *, missing: Collection[str], warnings: list[str], retry: OutageRetry, error: str = ""
) -> None:
    """Decide that what an attempt stored counts, and have it where it belongs; with an `error` the step
    fails all the same. Nothing is done if the attempt is not ours to end any more, which its end finds
    out."""
    if not any("destination" in place for place in job.changes.get("outputs", {}).values()):
        return
    decided = {
        "changes": job.changes,
        "missing": list(missing),
        "warnings": warnings,
        "error": error,
    }
    if retry(partial(_decide, job.claim, decided)):
        _move(job, retry)


def resume(job: Job, *, retry: OutageRetry) -> tuple[list[str], str]:
    """Go on with what an earlier attempt decided; returns its warnings, and the error that it fails with
    after that, if it does."""
    decided: dict[str, Any] = job.step.delivery or {}
    job.changes = decided["changes"]
    job.on_complete = partial(
        output_datasets.register_outputs, job, except_for=tuple(decided["missing"])
    )
    _move(job, retry)
    return list(decided["warnings"]), str(decided["error"])


def _decide(claim: Claim, decided: dict[str, Any]) -> bool:
    with write_transaction():
        ours = Run.objects.select_for_update(no_key=True).filter(
            pk=claim.step_id, attempt=claim.attempt, status__in=IN_PROGRESS, error_code=""
        )
        if ours.values_list("pk", flat=True).first() is None:
            return False
        StepRun.objects.filter(pk=claim.step_id).update(delivery=writable(decided))
        Run.objects.transition(
            claim.step_id,
            to=Status.FINALIZING,
            only=(Status.RUNNING,),
            reason="its outputs go to their destinations",
        )
        return True


def _move(job: Job, retry: OutageRetry) -> None:
    outputs = {}
    for name, stored in job.changes["outputs"].items():
        place = dict(stored)
        if "destination" in place:
            destination = place.pop("destination")  # empty for the top of a datastore
            source = data.locate(job.run.workspace, place["datastore"], place["path"])
            target = source.child(destination)
            moved = data.move_tree(source, target, retry=retry)
            data.remove_empty_folders(source, up_to=str(job.run.uuid))
            place["path"] = destination
            if moved < place.get("stored", {}).get("files", 0):  # the others were moved before
                found = stored_outputs.found_at(target, place)
                stored_outputs.require(place, found, named=f"The output {name}")
        outputs[name] = place
    job.changes = {**job.changes, "outputs": outputs, "delivery": None}

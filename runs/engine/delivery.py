"""Delivery of outputs to a destination that somebody chose.

An attempt first stores such outputs in a folder of its own. One write then decides that they count, and
saves everything needed to move them to their destinations. If the worker is lost after that, the next
attempt moves the remaining files and does not run the step again."""

from collections.abc import Collection
from functools import partial
from typing import Any

from endpoints import data
from runs.engine import output_datasets, stored_outputs
from runs.engine.claim import Claim
from runs.engine.claimed_step import Job
from runs.engine.outages import OutageRetry
from runs.models import Run, StepRun
from runs.states import IN_PROGRESS, Status
from studio.core.db.transactions import write_transaction
from studio.core.db.writable import writable


def deliver(
    job: Job, *, missing: Collection[str], warnings: list[str], retry: OutageRetry, error: str = ""
) -> None:
    """Decide that the stored outputs of an attempt count, and move them to their destinations.

    With an `error` the step still fails afterwards. Does nothing if another attempt has taken over the
    step; `finish` handles that case."""
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
    """Continue the delivery that an earlier attempt decided; returns that attempt's warnings and its
    error, which is empty if the step completes."""
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
            reason="moving its outputs to their destinations",
        )
        return True


def _move(job: Job, retry: OutageRetry) -> None:
    outputs = {}
    for name, stored in job.changes["outputs"].items():
        place = dict(stored)
        if "destination" in place:
            destination = place.pop("destination")  # empty for the root of the datastore
            source = data.locate(job.run.workspace, place["datastore"], place["path"])
            target = source.child(destination)
            moved = data.move_tree(source, target, retry=retry)
            data.remove_empty_folders(source, up_to=str(job.run.uuid))
            place["path"] = destination
            if moved < place.get("stored", {}).get("files", 0):
                # An earlier attempt moved the others.
                found = stored_outputs.found_at(target, place)
                stored_outputs.require(place, found, named=f"The output {name}")
        outputs[name] = place
    job.changes = {**job.changes, "outputs": outputs, "delivery": None}

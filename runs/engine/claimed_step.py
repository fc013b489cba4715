"""A claimed step with everything needed to run it, and the decision whether to reuse an earlier result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID

from endpoints import blueprints
from endpoints.graph import Graph, Node
from endpoints.models import Module
from runs import script_runs, sealing
from runs.engine import reuse, stored_outputs
from runs.engine.claim import Claim
from runs.engine.plan import places_of_attempt
from runs.models import Run, StepRun
from runs.tracking.author import Author


@dataclass
class Job:
    """A claimed step.

    `inputs`: where each port's data really is; for a reused parent, that is in the run it was reused from.
    `origins`: what identifies each port's data, for reuse.
    `changes`: what to write to the step's row when it ends."""

    claim: Claim
    step: StepRun
    graph: Graph
    node: Node
    module: Module
    is_last: bool  # no other step waits for it
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    on_complete: Callable[[], Mapping[str, Any]] = dict  # see `finish`

    @property
    def run(self) -> Run:
        return self.step.run

    @property
    def tracked_run(self) -> Run:
        """The run that the script gets as its own, to which its log and reports belong."""
        return script_runs.known_run(self.run)

    @property
    def author(self) -> Author:
        return Author(self.claim.step_id, self.claim.attempt)

    @cached_property
    def values(self) -> dict[str, str]:
        """The run's parameters, with secrets decrypted."""
        return sealing.opened(self.run.owner.pipeline_run.parameters)

    @property
    def may_be_reused(self) -> bool:
        return self.node.module.is_deterministic

    @property
    def has_retries(self) -> bool:
        return self.step.retries_used < self.step.retries

    @property
    def must_run(self) -> bool:
        return self.node.regenerate or self.run.owner.pipeline_run.regenerate_outputs


# The columns that `load` reads of the step and of its pipeline run.
OF_STEP = (
    *("node_id", "inputs", "outputs", "timeout_seconds", "delivery"),
    *("retries", "retries_used"),
    *("run__uuid", "run__name", "run__properties", "run__submitted_by", "run__parent__uuid"),
)
OF_RUN = (
    *("uuid", "kind", "pipeline", "submitted_by", "parent__uuid"),
    *("workspace__uuid", "workspace__subscription_id", "workspace__resource_group"),
    *("workspace__name", "experiment__uuid", "experiment__name"),
    *("pipeline_run__parameters", "pipeline_run__regenerate_outputs"),
    "pipeline_run__graph__uuid",
)


@lru_cache(maxsize=64)
def _submitted(run_uuid: UUID) -> Run:
    """The submitted run. Cached for all its steps, since these columns never change."""
    return (
        Run.objects.select_related("workspace", "experiment", "parent", "pipeline_run__graph")
        .only(*OF_RUN)
        .get(uuid=run_uuid)
    )


def load(claim: Claim) -> Job:
    step = StepRun.objects.select_related("run__parent").only(*OF_STEP).get(pk=claim.step_id)
    parent = _submitted(step.run.owner.uuid)
    step.run.parent, step.run.workspace = parent, parent.workspace
    step.run.experiment = parent.experiment
    step.outputs = places_of_attempt(step.outputs, step_uuid=step.run.uuid, attempt=claim.attempt)
    known = blueprints.load(parent.pipeline_run.graph.uuid)
    job = Job(
        claim=claim,
        step=step,
        graph=known.graph,
        node=known.graph.nodes[step.node_id],
        module=known.modules[step.node_id],
        is_last=not known.graph.children(step.node_id),
    )
    _find_inputs(job)
    return job


def _find_inputs(job: Job) -> None:
    """Find where the inputs are now: a reused parent points to the outputs of its source."""
    nodes = {place["node"] for place in job.step.inputs.values() if "node" in place}
    parents = {}
    if nodes:
        rows = StepRun.objects.filter(run__parent_id=job.run.parent_id, node_id__in=nodes)
        parents = {
            row["node_id"]: row
            for row in rows.values("node_id", "outputs", "run__uuid", "reused_from__run__uuid")
        }
    for port, place in job.step.inputs.items():
        parent = parents.get(place.get("node"))
        if parent is None:
            job.inputs[port] = place
            job.origins[port] = place.get("saved") or f"{place['datastore']}/{place['path']}"
        else:
            found = parent["outputs"].get(place["port"]) or {}
            job.inputs[port] = {**place, **found}
            made_by = parent["reused_from__run__uuid"] or parent["run__uuid"]
            # The same data with other read settings counts as different data.
            job.origins[port] = f"{made_by}/{place['port']}{job.node.readings.get(port, '')}"


def decide(job: Job) -> bool:
    """Complete the step with an earlier result if there is one; True if the step is over."""
    if not job.may_be_reused:
        return _runs(job, "Ran because reuse is not allowed for this step.")
    parts = reuse.parts_of(
        job.node,
        job.module,
        values=job.values,
        secret_names=sealing.secret_names(job.run.owner.pipeline_run.parameters),
        origins=job.origins,
    )
    key = reuse.fingerprint(job.run.workspace_id, parts)
    if job.must_run:
        return _runs(job, "Ran because its outputs were to be made again.", key, parts)
    source = reuse.find_source(key)
    if source is None:
        return _runs(job, reuse.why_not(job.step, parts), key, parts)
    if gone := stored_outputs.what_is_gone(job.run.workspace, source.outputs):
        return _runs(job, f"Ran because {gone} of the earlier result is gone."[:500], key, parts)
    job.changes = {"fingerprint": key, "fingerprint_parts": parts, "inputs": job.inputs}
    return reuse.take_over(job.claim, job.step, source, changes=job.changes)


def _runs(job: Job, reason: str, key: str = "", parts: Mapping[str, Any] | None = None) -> bool:
    job.changes = {"reuse_reason": reason}
    if parts is not None:
        job.changes |= {"fingerprint": key, "fingerprint_parts": parts}
    if job.inputs != job.step.inputs:
        job.changes["inputs"] = job.inputs
    return False

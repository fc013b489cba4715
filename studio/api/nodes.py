"""A compute target as clients see it (wire.md 4.5). The target is a queue; its nodes are the slots
of the workers that serve it, each of which runs one step at a time."""

from collections import defaultdict
from dataclasses import dataclass

from endpoints.models import ComputeTarget
from runs.models import StepAttempt, Worker
from runs.serving import living_workers, serving
from studio.core.rest.views import wire_time

SCALE = {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"}


@dataclass(frozen=True)
class Node:
    worker: Worker
    number: int
    busy: bool
    run_id: str | None  # set if the run is in the target's workspace

    def as_dict(self) -> dict:
        return {
            "nodeId": f"{self.worker.name}/{self.number}",
            "privateIpAddress": self.worker.host,
            "publicIpAddress": None,
            "port": None,
            "nodeState": "running" if self.busy else "idle",
            "runId": self.run_id,
        }


class Nodes:
    """The nodes of all targets, read once for an answer that shows several."""

    def __init__(self):
        self.workers = living_workers()
        names = [worker.name for worker in self.workers]
        attempts = StepAttempt.objects.filter(worker__in=names, finished_at=None)
        self.running = defaultdict(list)
        for attempt in attempts.select_related("step__run").order_by("pk"):
            self.running[attempt.worker].append(attempt.step.run)

    def of(self, target: ComputeTarget) -> list[Node]:
        workers = serving(target.name, self.workers)
        return [node for worker in workers for node in self.of_worker(worker, target)]

    def of_worker(self, worker: Worker, target: ComputeTarget):
        runs = self.running[worker.name]
        for number in range(worker.slots):
            run = runs[number] if number < len(runs) else None
            own = run is not None and run.workspace_id == target.workspace_id
            yield Node(worker, number, run is not None, str(run.uuid) if own else None)


def compute_resource(target: ComputeTarget, nodes: list[Node]) -> dict:
    """The compute entity. The nulls are required, and `userAccountCredentials` must be absent."""
    scale = {**SCALE, **(target.wire.get("scaleSettings") or {})}
    return {
        "id": f"{target.workspace.scope}/computes/{target.name}",
        "name": target.name,
        "location": "selfhosted",
        "tags": target.tags or None,
        "identity": {"type": "None"},  # the client cannot deserialize what it saved without one
        "properties": {
            "computeType": target.compute_type,
            "provisioningState": "Succeeded",
            "description": (
                f"{target.description or 'A queue of steps.'} A worker of its own: {start(target)}"
            ),
            "provisioningErrors": None,
            "resourceId": None,
            "isAttachedCompute": False,
            "createdOn": wire_time(target.created_at),
            "properties": {
                "vmSize": target.vm_size,
                # Null instead of 0: the client takes any number for enough nodes, but for null it
                # shows `errors` to whoever waits for the target.
                "currentNodeCount": len(nodes) or None,
                "targetNodeCount": scale["maxNodeCount"],
                "nodeStateCounts": counts(nodes),
                "errors": lacking(target, nodes, least=scale["minNodeCount"] or 0),
                "allocationState": "Steady",
                "vmPriority": "Dedicated",
                "subnet": None,
                "scaleSettings": scale,
            },
        },
    }


def counts(nodes: list[Node]) -> dict[str, int]:
    busy = sum(node.busy for node in nodes)
    none = dict.fromkeys(
        ("preparingNodeCount", "unusableNodeCount", "leavingNodeCount", "preemptedNodeCount"), 0
    )
    return {"idleNodeCount": len(nodes) - busy, "runningNodeCount": busy, **none}


def lacking(target: ComputeTarget, nodes: list[Node], *, least: int) -> list[dict] | None:
    """What somebody has to do before the target has the nodes asked for: none starts by itself."""
    if not nodes:
        code, found = "NoWorker", f"No worker serves {target.name} yet: its steps wait."
    elif len(nodes) < least:
        code = "TooFewWorkers"
        found = f"{target.name} has {len(nodes)} of the {least} nodes that it is to have at least."
    else:
        return None
    return [{"code": code, "message": f"{found} Start one: {start(target)}"}]


def start(target: ComputeTarget) -> str:
    return f"uv run manage.py worker --queues {target.name}"

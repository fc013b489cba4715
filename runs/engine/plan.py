"""Plans a run: creates one row per step, in the transaction that accepts the run."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from endpoints.blueprints import Blueprint
from endpoints.graph import Edge, Node
from runs.engine.destinations import Destination
from runs.models import Kind, Run, RunAttribute, StatusChange, StepRun
from runs.states import Status
from runs.tracking.tags import attribute

DEFAULT_TARGET = "cpu-cluster"
DEFAULT_DATASTORE = "workspaceblobstore"
NEEDS_NONE = "depends on no other step"  # why a step is queued at once
SNAPSHOT = "ContentSnapshotId"  # the run property from which the SDK gets the id of the code


def plan(
    run: Run,
    blueprint: Blueprint,
    sources: Mapping[str, dict[str, Any]],
    chosen: Mapping[tuple[str, str], Destination],
    *,
    tags: Mapping[str, Any] | None = None,
) -> dict[str, int]:
    """Create the steps of `run`; returns how many are ready, per queue. The arguments are those of
    `planned`."""
    steps = planned(run, blueprint, sources, chosen, tags=tags)
    rows = [step.run for step in steps]
    Run.objects.bulk_create(rows)
    RunAttribute.objects.bulk_create(
        attribute(row.pk, "tag", key, value) for row in rows for key, value in (tags or {}).items()
    )
    StepRun.objects.bulk_create(steps)
    ready: dict[str, int] = {}
    for row in rows:
        if row.status == Status.QUEUED:
            ready[row.target] = ready.get(row.target, 0) + 1
    StatusChange.objects.bulk_create(
        StatusChange(
            run=row,
            from_status=Status.NOT_STARTED,
            to_status=Status.QUEUED,
            at=row.created_at,
            reason=NEEDS_NONE,
        )
        for row in rows
        if row.status == Status.QUEUED
    )
    return ready


def planned(
    run: Run,
    blueprint: Blueprint,
    sources: Mapping[str, dict[str, Any]],
    chosen: Mapping[tuple[str, str], Destination],
    *,
    tags: Mapping[str, Any] | None = None,
) -> list[StepRun]:
    """The steps of `run` in the order of the graph, not yet in the database.

    `sources`: the places of the graph's dataset nodes, by node id. `chosen`: the result of
    `destinations`. `tags`: set on every step.
    """
    graph = blueprint.graph
    order = graph.topological_order()
    uuids = {node_id: uuid4() for node_id in order}
    outputs = {
        node_id: planned_outputs(graph.nodes[node_id], step_uuid=uuids[node_id], chosen=chosen)
        for node_id in order
    }
    return [
        _step(
            _row(run, blueprint, node_id, uuid=uuids[node_id], number=number, tags=tags or {}),
            blueprint,
            node_id=node_id,
            outputs=outputs,
            sources=sources,
        )
        for number, node_id in enumerate(order, start=1)
    ]


def target_of(node: Node) -> str:
    return node.target or DEFAULT_TARGET


def _row(
    run: Run,
    blueprint: Blueprint,
    node_id: str,
    *,
    uuid: UUID,
    number: int,
    tags: Mapping[str, Any],
) -> Run:
    graph, snapshot = blueprint.graph, blueprint.modules[node_id].snapshot
    node, now = graph.nodes[node_id], timezone.now()
    properties = {"azureml.runsource": "azureml.StepRun", "StepType": node.module.step_type}
    if snapshot:
        properties[SNAPSHOT] = str(snapshot.uuid)
    return Run(
        uuid=uuid,
        workspace_id=run.workspace_id,
        experiment_id=run.experiment_id,
        kind=Kind.STEP,
        parent=run,
        root_id=run.root_id,
        number=number,
        status=Status.NOT_STARTED if graph.parents(node.id) else Status.QUEUED,
        name=node.name,
        display_name=node.name,
        target=target_of(node),
        # The client finds a step's node and pipeline in its tags (wire.md 9.1).
        tags={**tags, "azureml.nodeid": node.id, "azureml.pipeline": str(run.uuid)},
        properties=properties,
        submitted_by=run.submitted_by,
        user_id=run.user_id,
        created_at=now,
        updated_at=now,
    )


def _step(
    row: Run,
    blueprint: Blueprint,
    *,
    node_id: str,
    outputs: Mapping[str, dict[str, Any]],
    sources: Mapping[str, dict[str, Any]],
) -> StepRun:
    graph, node = blueprint.graph, blueprint.graph.nodes[node_id]
    return StepRun(
        run=row,
        node_id=node_id,
        module=blueprint.modules[node_id],
        needs=graph.parents(node_id),
        inputs={edge.target_port: _input(edge, outputs, sources) for edge in graph.inputs(node_id)},
        outputs=outputs[node_id],
        retries=node.retries,
        retry_delay_seconds=node.retry_delay_seconds or 1,
        timeout_seconds=node.timeout_seconds,
    )


def _input(
    edge: Edge, outputs: Mapping[str, dict[str, Any]], sources: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    if edge.source in sources:
        return sources[edge.source]
    place = outputs[edge.source].get(edge.source_port) or {}
    return {"node": edge.source, "port": edge.source_port, **place}


def planned_outputs(
    node: Node, *, step_uuid: UUID, chosen: Mapping[tuple[str, str], Destination]
) -> dict[str, dict[str, Any]]:
    """Where the step's outputs will be stored, by port (wire.md 8.5, Outputs)."""
    places = {}
    for name in {**node.module.outputs, **node.outputs}:
        port, setting = node.module.outputs.get(name), node.outputs.get(name)
        if port is not None and port.is_fake:
            continue
        wanted = chosen.get((node.id, name), Destination(None, "azureml/{run-id}/{output-name}"))
        path = wanted.path.replace("{run-id}", str(step_uuid))
        store = wanted.datastore or (setting and setting.datastore) or (port and port.datastore)
        places[name] = {
            "datastore": store or DEFAULT_DATASTORE,
            "path": path.replace("{output-name}", name).strip("/"),
        }
    return places


def places_of_attempt(
    places: Mapping[str, dict[str, Any]], *, step_uuid: UUID, attempt: int
) -> dict[str, dict[str, Any]]:
    """Where an attempt stores its outputs. The first uses the planned places, later ones use places beside
    them, so that a lost attempt that still writes cannot touch their files. The end of an attempt
    decides which place counts.

    A path without the step's id would be the same for all attempts. Such an output gets a place of the
    attempt's own, and its files are moved to that `destination` once they count
    (`runs.engine.delivery`)."""
    planned = str(step_uuid)
    own = planned if attempt < 2 else f"{step_uuid}.{attempt}"
    return {name: _place_of_attempt(name, place, planned, own) for name, place in places.items()}


def _place_of_attempt(name: str, place: dict[str, Any], planned: str, own: str) -> dict[str, Any]:
    path = place["path"]
    if planned in path:
        return {**place, "path": path.replace(planned, own, 1)}
    # Keep the last part: an output that is one file keeps its name.
    parts = ("azureml", own, name, PurePosixPath(path).name)
    return {**place, "path": "/".join(filter(None, parts)), "destination": path}

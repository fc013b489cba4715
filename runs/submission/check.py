"""Whether a run is possible with these settings: its values, the places of its data, its compute.
Refuses what it must, and writes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from endpoints import blueprints, data
from endpoints.graph import DatasetNode
from endpoints.models import ComputeTarget, DataSource
from endpoints.parameters import Resolved, datapath_parts, resolve
from runs import engine
from runs.engine.plan import target_of
from runs.submission.settings import RunSettings
from runs.submission.target import Found
from studio.core.access import Actor
from studio.core.errors import BadValue, Refused
from studio.core.uuids import as_uuid


@dataclass(frozen=True)
class Places:
    """Where a run reads its data and writes its outputs: by dataset node, and by step and output."""

    sources: dict[str, dict[str, Any]]
    destinations: dict[tuple[str, str], engine.Destination]


@dataclass(frozen=True)
class Examined:
    blueprint: blueprints.Blueprint
    resolved: Resolved
    places: Places


def examine(
    actor: Actor,
    found: Found,
    settings: RunSettings,
    *,
    strict: bool = False,
    caller: str = "Caller",
) -> Examined:
    """`strict` refuses unknown and doubtful values; `caller` is where assigned values come from."""
    blueprint = blueprints.load(found.graph.uuid)
    resolved = resolve(
        blueprint.parameters,
        assignments=settings.assignments,
        datasets=settings.datasets,
        datapaths=settings.datapaths,
        strict=strict or found.is_strict,
        caller=caller,
    )
    engine.check_lengths(blueprint, resolved.values)
    places = find_places(actor, blueprint, resolved.values, resolved.datasets, resolved.datapaths)
    return Examined(blueprint, resolved, places)


def find_places(
    actor: Actor,
    blueprint: blueprints.Blueprint,
    values: Mapping[str, str],
    datasets: Mapping[str, Any],
    datapaths: Mapping[str, Any],
) -> Places:
    _check_compute(actor, blueprint)
    destinations = engine.destinations(blueprint, values, datapaths)
    return Places(_sources(actor, blueprint, datasets, datapaths), destinations)


def _check_compute(actor: Actor, blueprint: blueprints.Blueprint) -> None:
    wanted = {target_of(node) for node in blueprint.graph.nodes.values()}
    known = set(
        ComputeTarget.objects.filter(workspace=actor.workspace).values_list("name", flat=True)
    )
    missing = sorted(wanted - known)
    if missing:
        text = _("Compute target %(name)s not found in workspace. It has: %(names)s.")
        given = {"name": missing[0], "names": ", ".join(sorted(known)) or _("none")}
        raise Refused(text % given, status=400)


def _sources(
    actor: Actor,
    blueprint: blueprints.Blueprint,
    datasets: Mapping[str, Any],
    datapaths: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    """The location of each dataset node's data; what does not exist is refused now, by name."""
    return {
        node.id: _source(actor, node, datasets, datapaths)
        for node in blueprint.graph.datasets.values()
    }


def _source(
    actor: Actor, node: DatasetNode, datasets: Mapping[str, Any], datapaths: Mapping[str, Any]
) -> dict[str, Any]:
    if node.datapath_parameter:
        path = datapaths.get(node.datapath_parameter)
        if path is None:
            raise BadValue(
                f"Data path {node.datapath_parameter} has no value.", target=node.datapath_parameter
            )
        found = data.locate(actor.workspace, *datapath_parts(path))
        return {"datastore": found.datastore, "path": found.path}
    if node.source_id:
        uuid = as_uuid(node.source_id)
        sources = DataSource.objects.filter(workspace=actor.workspace)
        source = sources.filter(uuid=uuid).first() if uuid else None
        if source is None or source.datastore is None:
            raise BadValue(f"There is no data source {node.source_id}.", field="data_source")
        place = {"datastore": source.datastore.name, "path": source.relative_path}
        return {**place, "name": source.name} if source.name else place
    reference = datasets.get(node.dataset_parameter or "") or node.value
    if not reference:
        raise BadValue(
            f"Dataset {node.dataset_parameter} has no value.", target=node.dataset_parameter or ""
        )
    return {"saved": str(data.find_saved(actor.workspace, reference).uuid)}

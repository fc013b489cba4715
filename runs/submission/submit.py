"""`submit`: the only way to make a run of a graph, for all callers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from endpoints import blueprints, data
from endpoints.graph import DatasetNode
from endpoints.models import (
    ComputeTarget,
    DataSource,
    EndpointVersion,
    Graph,
    PipelineEndpoint,
    PublishedPipeline,
)
from endpoints.parameters import Resolved, resolve
from endpoints.services import check_runnable, hold_runnable
from runs import engine, sealing
from runs.bell import ring
from runs.engine.plan import target_of
from runs.models import Experiment, Kind, PipelineRun, Run, RunAttribute, Schedule, Source
from runs.naming import experiment_of, run_name
from runs.submission.idempotency import Key, run_of_key
from runs.submission.keys import Remark
from runs.tracking.tags import attribute
from studio.core import audit, numbers
from studio.core.access import Actor, require
from studio.core.db.transactions import write_transaction
from studio.core.errors import BadValue, Forbidden, Refused
from studio.core.uuids import as_uuid


@dataclass(frozen=True)
class Target:
    """What to run: a graph, perhaps of a published pipeline, perhaps through an endpoint."""

    graph: Graph
    pipeline: PublishedPipeline | None = None
    endpoint: PipelineEndpoint | None = None
    version: EndpointVersion | None = None

    @property
    def is_strict(self) -> bool:
        return self.endpoint is not None and self.endpoint.is_strict


def submit(
    actor: Actor,
    *,
    experiment: str | None,
    pipeline: PublishedPipeline | None = None,
    graph: Graph | None = None,
    endpoint: PipelineEndpoint | None = None,
    version: int | None = None,
    assignments: Mapping[str, Any] | None = None,
    datasets: Mapping[str, Any] | None = None,
    datapaths: Mapping[str, Any] | None = None,
    display_name: str = "",
    description: str = "",
    tags: Mapping[str, Any] | None = None,
    step_tags: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    source: Source = Source.REST,
    run_source: str = "",
    run_type: str = "",
    continue_on_step_failure: bool | None = None,
    regenerate_outputs: bool = False,
    timeout_seconds: int | None = None,
    strict: bool | None = None,
    raw_request: Mapping[str, Any] | None = None,
    remarks: Mapping[str, Remark] | None = None,
    key: Key | None = None,
    original: PipelineRun | None = None,
    parent: Run | None = None,
    schedule: Schedule | None = None,
    held: bool = False,
    kind: Kind = Kind.PIPELINE,
) -> Run:
    """Make a run of exactly one of `endpoint` (its default unless `version` is given), `pipeline`
    and `graph`. Once this has committed, the run will end, whatever process dies.

    A `held` run has no steps until `start`. A run of `kind` Script stands for its only step.
    `remarks` about keys of the request become warnings; a strict endpoint refuses them. The same
    `key` again returns the run it made before; a refused call uses no key up.
    """
    target = target_for(actor, pipeline=pipeline, graph=graph, endpoint=endpoint, version=version)
    require(actor, verb_to_run(target.pipeline), target.graph)
    earlier = run_of_key(actor, key)
    if earlier is not None:
        return earlier
    check_runnable(target.endpoint, target.pipeline, target.version)
    check_keys(target, remarks)
    name, said = experiment_of(experiment, target.endpoint or target.pipeline)
    blueprint, resolved, sources, chosen = examine(
        actor,
        target,
        assignments=assignments,
        datasets=datasets,
        datapaths=datapaths,
        strict=strict,
        caller="Schedule" if schedule else "Caller",
    )
    secrets = blueprint.secret_names
    if continue_on_step_failure is None:
        continue_on_step_failure = bool(
            target.pipeline and target.pipeline.continue_on_step_failure
        )
    now = timezone.now()
    try:
        with write_transaction():
            _check_goes_on(parent)
            place = _experiment(actor, name)
            run = Run(
                workspace=actor.workspace,
                experiment=place,
                kind=kind,
                parent=parent,
                number=place.runs_made,
                name=target.pipeline.name if target.pipeline else name,
                display_name=display_name or run_name(),
                target=target_of(*blueprint.graph.nodes.values()) if kind == Kind.SCRIPT else "",
                description=description,
                tags=_texts(tags),
                properties=_properties(kind, target, properties),
                pipeline=target.pipeline,
                endpoint=target.endpoint,
                endpoint_version=target.version.number if target.version else None,
                schedule=schedule,
                idempotency_key=key.kept(actor) if key else None,
                idempotency_digest=key.digest if key else "",
                submitted_by=actor.name,
                user=actor.user,
                created_at=now,
                updated_at=now,
            )
            run.save(force_insert=True)
            run.root = parent.root if parent is not None and parent.root_id else run
            Run.objects.filter(pk=run.pk).update(root=run.root)
            run.pipeline_run = PipelineRun.objects.create(
                run=run,
                graph=target.graph,
                submitted_at=None if held else now,
                source=source,
                run_source=run_source,
                run_type=run_type,
                original=original,
                parameters=sealing.sealed(resolved.values, secrets),
                datasets=resolved.datasets,
                datapaths=resolved.datapaths,
                provenance=resolved.provenance,
                warnings=[*_warnings(remarks), *resolved.warnings, *said],
                raw_request=sealing.without_secrets(numbers.storable(raw_request or {}), secrets),
                continue_on_step_failure=continue_on_step_failure,
                regenerate_outputs=regenerate_outputs,
                timeout_seconds=timeout_seconds or blueprint.graph.timeout_seconds,
            )
            ready = (
                {} if held else engine.plan(run, blueprint, sources, chosen, tags=step_tags or {})
            )
            _index(run, resolved, secrets)
            hold_runnable(target.endpoint, target.pipeline, target.version)
            audit.record(
                actor,
                "submit",
                run,
                after={"pipeline": run.name},
                endpoint_uuid=endpoint.uuid if endpoint else None,
                asked_version=version,
            )
    except IntegrityError:
        # Two requests with the same key at once: the other one made the run.
        earlier = run_of_key(actor, key)
        if earlier is None:
            raise
        return earlier
    # Outside of the transaction's turn, so that nobody waits for it while the bell is rung.
    transaction.on_commit(partial(ring, ready), robust=True)
    return run


def check_keys(target: Target, remarks: Mapping[str, Remark] | None) -> None:
    if target.is_strict and remarks:
        raise ValidationError({key: [remark.refusal] for key, remark in remarks.items()})


def _warnings(remarks: Mapping[str, Remark] | None) -> list[str]:
    return [remark.warning for remark in (remarks or {}).values()]


def examine(
    actor: Actor,
    target: Target,
    *,
    assignments: Mapping[str, Any] | None = None,
    datasets: Mapping[str, Any] | None = None,
    datapaths: Mapping[str, Any] | None = None,
    strict: bool | None = None,
    caller: str = "Caller",
) -> tuple[
    blueprints.Blueprint,
    Resolved,
    dict[str, dict[str, Any]],
    dict[tuple[str, str], engine.Destination],
]:
    """The values, data sources and output places of a run of `target`. Refuses what it must, and
    writes nothing."""
    blueprint = blueprints.load(target.graph.uuid)
    resolved = resolve(
        blueprint.parameters,
        assignments=assignments,
        datasets=datasets,
        datapaths=datapaths,
        strict=target.is_strict if strict is None else strict,
        caller=caller,
    )
    engine.check_lengths(blueprint, resolved.values)
    _check_compute(actor, blueprint)
    chosen = engine.destinations(blueprint, resolved.values, resolved.datapaths)
    sources = _sources(actor, blueprint, resolved.datasets, resolved.datapaths)
    return blueprint, resolved, sources, chosen


def start(actor: Actor, run: Run, *, parent: Run | None = None) -> Run:
    """Submit a run that was held. Starting it twice changes nothing."""
    require(actor, verb_to_run(run.pipeline), run)
    extra = run.pipeline_run
    check_runnable(run.endpoint, run.pipeline, None)
    blueprint = blueprints.load(extra.graph.uuid)
    _check_compute(actor, blueprint)
    chosen = engine.destinations(blueprint, sealing.opened(extra.parameters), extra.datapaths)
    sources = _sources(actor, blueprint, extra.datasets, extra.datapaths)
    ready: dict[str, int] = {}
    with write_transaction():
        if engine.take_unsubmitted(run.pk):
            if parent is not None:
                _check_goes_on(parent)
                run.parent, run.root = parent, parent.root or parent
                Run.objects.filter(pk=run.pk).update(parent=run.parent, root=run.root)
            ready = engine.plan(run, blueprint, sources, chosen)
            hold_runnable(run.endpoint, run.pipeline)
            audit.record(actor, "start", run)
    transaction.on_commit(partial(ring, ready), robust=True)
    return run


def verb_to_run(pipeline: PublishedPipeline | None) -> str:
    """The verb that running this needs: without a published pipeline it is the caller's own
    code."""
    return "run code" if pipeline is None else "submit"


def _check_goes_on(parent: Run | None) -> None:
    """A canceled script may still be running: refuse runs below it, which nobody would cancel."""
    if parent and (ended := Run.objects.canceled_at(parent.pk)):
        text = _("Run %(run)s was canceled: nothing more can be submitted below it.")
        raise Refused(text % {"run": ended})


def target_for(
    actor: Actor,
    *,
    pipeline: PublishedPipeline | None = None,
    graph: Graph | None = None,
    endpoint: PipelineEndpoint | None = None,
    version: int | None = None,
) -> Target:
    if sum(given is not None for given in (pipeline, graph, endpoint)) > 1:
        raise TypeError("give one of endpoint, pipeline, graph")
    if actor.endpoint_uuid is not None and (
        endpoint is None or endpoint.uuid != actor.endpoint_uuid
    ):
        raise Forbidden("This token triggers its own endpoint only.")
    if graph is not None:
        return Target(graph)
    if endpoint is not None:
        require(actor, "submit", endpoint)
        found = _version(endpoint, version)
        return Target(found.pipeline.graph, found.pipeline, endpoint, found)
    if pipeline is not None:
        return Target(pipeline.graph, pipeline)
    raise TypeError("give an endpoint, a pipeline or a graph")


def _version(endpoint: PipelineEndpoint, number: int | None) -> EndpointVersion:
    if number is None:
        if endpoint.default_version is None:
            text = _("Pipeline endpoint %(name)s has no versions yet.")
            raise Refused(text % {"name": endpoint.name}, status=400)
        return endpoint.default_version
    found = (
        endpoint.versions.select_related("pipeline__graph")
        .defer("pipeline__graph__wire", "pipeline__graph__interface")
        .filter(number=number)
        .first()
    )
    if found is None:
        raise BadValue(
            _("Pipeline endpoint %(name)s has no version %(number)s.")
            % {"name": endpoint.name, "number": number},
            target="pipelineVersion",
        )
    return found


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
        found = data.locate(actor.workspace, path["DataStoreName"], path["RelativePath"])
        return {"datastore": found.datastore, "path": found.path}
    if node.source_id:
        uuid = as_uuid(node.source_id)
        sources = DataSource.objects.filter(workspace=actor.workspace)
        source = sources.filter(uuid=uuid).first() if uuid else None
        if source is None or source.datastore is None:
            raise BadValue(f"There is no data source {node.source_id}.", target="DatasetId")
        place = {"datastore": source.datastore.name, "path": source.relative_path}
        return {**place, "name": source.name} if source.name else place
    reference = datasets.get(node.dataset_parameter or "") or node.value
    if not reference:
        raise BadValue(
            f"Dataset {node.dataset_parameter} has no value.", target=node.dataset_parameter or ""
        )
    return {"saved": str(data.find_saved(actor.workspace, reference).uuid)}


def _experiment(actor: Actor, name: str) -> Experiment:
    """The experiment, with its next run number. A run brings it back from the archive."""
    found = Experiment.objects.filter(workspace=actor.workspace, name=name)
    if not found.update(runs_made=F("runs_made") + 1, archived_at=None):
        Experiment.objects.get_or_create(workspace=actor.workspace, name=name)
        found.update(runs_made=F("runs_made") + 1, archived_at=None)
    return found.get()


def _properties(kind: Kind, target: Target, given: Mapping[str, Any] | None) -> dict[str, str]:
    found = _texts(given)
    if kind == Kind.PIPELINE:  # the client recognises it by this property (wire.md 9.1)
        found["azureml.runsource"] = "azureml.PipelineRun"
    if target.pipeline is not None:
        found["azureml.pipelineid"] = str(target.pipeline.uuid)
    return found


def _texts(given: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(key): "" if value is None else str(value) for key, value in (given or {}).items()}


def _index(run: Run, resolved: Resolved, secrets: set[str]) -> None:
    RunAttribute.objects.bulk_create(
        [
            *(attribute(run.pk, "tag", key, value) for key, value in run.tags.items()),
            *(
                attribute(run.pk, "parameter", name, value)
                for name, value in resolved.values.items()
                if name not in secrets
            ),
        ]
    )

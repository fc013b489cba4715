"""`submit`: the only way to make a run of a graph, for all callers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from endpoints import blueprints
from endpoints.parameters import Resolved
from endpoints.services import check_runnable, hold_runnable
from runs import engine, sealing
from runs.bell import ring
from runs.engine.plan import target_of
from runs.models import Experiment, Kind, PipelineRun, Run, RunAttribute, Schedule, Source
from runs.naming import experiment_of, run_name
from runs.submission.check import Examined, examine, find_places
from runs.submission.idempotency import Key, run_in_turn, run_of_key
from runs.submission.settings import Remark, RunSettings
from runs.submission.target import Found, NewGraph, Target, require_target, verb_to_run
from runs.tracking.tags import attribute, texts
from studio.core import audit, numbers
from studio.core.access import Actor, require
from studio.core.db.transactions import write_transaction
from studio.core.errors import NamedByCaller, Refused


@dataclass(frozen=True)
class Submission:
    """One run that somebody wants.

    The same `key` again returns the run it made before; a refused submission uses no key up. A
    `held` run has no steps until `start`. `strict` refuses doubtful values, as a strict endpoint
    does whoever asks. `request` is stored for people to read, without the values of secrets.
    """

    target: Target
    settings: RunSettings
    source: Source = Source.REST
    strict: bool = False
    key: Key | None = None
    held: bool = False
    parent: Run | None = None
    original: PipelineRun | None = None
    schedule: Schedule | None = None
    request: Mapping[str, Any] = field(default_factory=dict)


def submit(actor: Actor, submission: Submission) -> Run:
    """Make the run. Once this has committed, the run will end, whatever process dies."""
    target = submission.target
    require_target(actor, target)
    if not isinstance(target, NewGraph):
        found = target.find()
        return run_of_key(actor, submission.key) or _make(actor, submission, found)
    with transaction.atomic():  # a graph whose run is refused is not stored
        earlier = run_in_turn(actor, submission.key)
        return earlier or _make(actor, submission, target.store(actor))


def _make(actor: Actor, submission: Submission, found: Found) -> Run:
    settings = submission.settings
    check_runnable(found.endpoint, found.pipeline, found.version)
    check_remarks(found, settings.remarks)
    name, warnings = experiment_of(settings.experiment, found.endpoint or found.pipeline)
    examined = examine(
        actor,
        found,
        settings,
        strict=submission.strict,
        caller="Schedule" if submission.schedule else "Caller",
    )
    secrets = examined.blueprint.secret_names
    now = timezone.now()
    try:
        with write_transaction():
            _check_goes_on(submission.parent)
            run = _new_run(actor, submission, found, examined, experiment=name, now=now)
            run.pipeline_run = _new_pipeline_run(run, submission, found, examined, warnings)
            ready = {}
            if not submission.held:
                ready = engine.plan(
                    run,
                    examined.blueprint,
                    examined.places.sources,
                    examined.places.destinations,
                    tags=settings.step_tags or {},
                )
            _index(run, examined.resolved, secrets)
            hold_runnable(found.endpoint, found.pipeline, found.version)
            audit.record(
                actor,
                "submit",
                run,
                after={"pipeline": run.name},
                endpoint_uuid=found.endpoint.uuid if found.endpoint else None,
                asked_version=found.asked_number,
            )
    except IntegrityError:
        # Two requests with the same key at once: the other one made the run.
        earlier = run_of_key(actor, submission.key)
        if earlier is None:
            raise
        return earlier
    # After the commit, so that other writers do not wait while the bell is rung.
    transaction.on_commit(partial(ring, ready), robust=True)
    return run


def check_remarks(found: Found, remarks: Mapping[str, Remark]) -> None:
    if found.is_strict and remarks:
        raise NamedByCaller({key: [remark.refusal] for key, remark in remarks.items()})


def _new_run(
    actor: Actor,
    submission: Submission,
    found: Found,
    examined: Examined,
    *,
    experiment: str,
    now: datetime,
) -> Run:
    settings, key, parent = submission.settings, submission.key, submission.parent
    place = _experiment(actor, experiment)
    nodes = examined.blueprint.graph.nodes.values()
    run = Run(
        workspace=actor.workspace,
        experiment=place,
        kind=found.kind,
        parent=parent,
        number=place.runs_made,
        name=found.pipeline.name if found.pipeline else experiment,
        display_name=settings.display_name or run_name(),
        target=target_of(*nodes) if found.kind == Kind.SCRIPT else "",
        description=settings.description,
        tags=texts(settings.tags),
        properties=_properties(found, settings.properties),
        pipeline=found.pipeline,
        endpoint=found.endpoint,
        endpoint_version=found.version.number if found.version else None,
        schedule=submission.schedule,
        idempotency_key=key.stored_as(actor) if key else None,
        idempotency_digest=key.digest if key else "",
        submitted_by=actor.name,
        user=actor.user,
        created_at=now,
        updated_at=now,
    )
    run.save(force_insert=True)
    run.root = parent.root if parent is not None and parent.root_id else run
    Run.objects.filter(pk=run.pk).update(root=run.root)
    return run


def _new_pipeline_run(
    run: Run, submission: Submission, found: Found, examined: Examined, warnings: list[str]
) -> PipelineRun:
    settings, resolved = submission.settings, examined.resolved
    secrets = examined.blueprint.secret_names
    go_on = settings.continue_on_step_failure
    if go_on is None:
        go_on = bool(found.pipeline and found.pipeline.continue_on_step_failure)
    return PipelineRun.objects.create(
        run=run,
        graph=found.graph,
        submitted_at=None if submission.held else run.created_at,
        source=submission.source,
        run_source=settings.run_source,
        run_type=settings.run_type,
        original=submission.original,
        parameters=sealing.sealed(resolved.values, secrets),
        datasets=resolved.datasets,
        datapaths=resolved.datapaths,
        provenance=resolved.provenance,
        warnings=[
            *(remark.warning for remark in settings.remarks.values()),
            *resolved.warnings,
            *warnings,
        ],
        raw_request=sealing.without_secrets(numbers.storable(submission.request), secrets),
        continue_on_step_failure=go_on,
        regenerate_outputs=settings.regenerate_outputs,
        timeout_seconds=settings.timeout_seconds or examined.blueprint.graph.timeout_seconds,
    )


def start(actor: Actor, run: Run, *, parent: Run | None = None) -> Run:
    """Submit a run that was held. Starting it twice changes nothing."""
    require(actor, verb_to_run(run.pipeline), run)
    extra = run.pipeline_run
    check_runnable(run.endpoint, run.pipeline, None)
    blueprint = blueprints.load(extra.graph.uuid)
    values = sealing.opened(extra.parameters)
    places = find_places(actor, blueprint, values, extra.datasets, extra.datapaths)
    ready: dict[str, int] = {}
    with write_transaction():
        if engine.take_unsubmitted(run.pk):
            if parent is not None:
                _check_goes_on(parent)
                run.parent, run.root = parent, parent.root or parent
                Run.objects.filter(pk=run.pk).update(parent=run.parent, root=run.root)
            ready = engine.plan(run, blueprint, places.sources, places.destinations)
            hold_runnable(run.endpoint, run.pipeline)
            audit.record(actor, "start", run)
    transaction.on_commit(partial(ring, ready), robust=True)
    return run


def _check_goes_on(parent: Run | None) -> None:
    """A canceled script may still be running: refuse runs below it, which nobody would cancel."""
    if parent and (ended := Run.objects.canceled_at(parent.pk)):
        text = _("Run %(run)s was canceled: nothing more can be submitted below it.")
        raise Refused(text % {"run": ended})


def _experiment(actor: Actor, name: str) -> Experiment:
    """The experiment, with its next run number. A run brings it back from the archive."""
    found = Experiment.objects.filter(workspace=actor.workspace, name=name)
    if not found.update(runs_made=F("runs_made") + 1, archived_at=None):
        Experiment.objects.get_or_create(workspace=actor.workspace, name=name)
        found.update(runs_made=F("runs_made") + 1, archived_at=None)
    return found.get()


def _properties(found: Found, given: Mapping[str, Any] | None) -> dict[str, str]:
    properties = texts(given)
    if found.kind == Kind.PIPELINE:  # the client recognises it by this property (wire.md 9.1)
        properties["azureml.runsource"] = "azureml.PipelineRun"
    if found.pipeline is not None:
        properties["azureml.pipelineid"] = str(found.pipeline.uuid)
    return properties


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

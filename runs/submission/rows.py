"""What a submission asks for, and the rows of its run, not yet in the database: `submit` writes them for a
new run, and the demo for runs of the past."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runs import sealing
from runs.engine.plan import target_of
from runs.models import Experiment, Kind, PipelineRun, Run, RunAttribute, Schedule, Source
from runs.naming import run_name
from runs.submission.check import Examined
from runs.submission.idempotency import Key
from runs.submission.settings import RunSettings
from runs.submission.target import Found, Target
from runs.tracking.tags import attribute, texts
from studio.core import audit, numbers
from studio.core.access import Actor
from studio.core.models import AuditEvent


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


def run(
    actor: Actor,
    submission: Submission,
    found: Found,
    examined: Examined,
    *,
    experiment: Experiment,
    now: datetime,
) -> Run:
    """The run, with the number that its experiment has counted last; its root is not set."""
    settings, key = submission.settings, submission.key
    nodes = examined.blueprint.graph.nodes.values()
    return Run(
        workspace=actor.workspace,
        experiment=experiment,
        kind=found.kind,
        parent=submission.parent,
        number=experiment.runs_made,
        name=found.pipeline.name if found.pipeline else experiment.name,
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


def pipeline_run(
    run: Run, submission: Submission, found: Found, examined: Examined, warnings: list[str]
) -> PipelineRun:
    settings, resolved = submission.settings, examined.resolved
    secrets = examined.blueprint.secret_names
    go_on = settings.continue_on_step_failure
    if go_on is None:
        go_on = bool(found.pipeline and found.pipeline.continue_on_step_failure)
    return PipelineRun(
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


def _properties(found: Found, given: Mapping[str, Any] | None) -> dict[str, str]:
    properties = texts(given)
    if found.kind == Kind.PIPELINE:  # the client recognises it by this property (wire.md 9.1)
        properties["azureml.runsource"] = "azureml.PipelineRun"
    if found.pipeline is not None:
        properties["azureml.pipelineid"] = str(found.pipeline.uuid)
    return properties


def attributes(run: Run, examined: Examined) -> list[RunAttribute]:
    """Tags and parameters, without secret ones, by which runs are searched."""
    secrets = examined.blueprint.secret_names
    return [
        *(attribute(run.pk, "tag", key, value) for key, value in run.tags.items()),
        *(
            attribute(run.pk, "parameter", name, value)
            for name, value in examined.resolved.values.items()
            if name not in secrets
        ),
    ]


def audit_event(actor: Actor, run: Run, found: Found) -> AuditEvent:
    return audit.event_of(
        actor,
        "submit",
        run,
        after={"pipeline": run.name},
        endpoint_uuid=found.endpoint.uuid if found.endpoint else None,
        asked_version=found.asked_number,
    )

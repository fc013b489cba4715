"""Writes runs of the past in bulk: thousands of rows per second, each as a real run would have left it. All are
over, so that no worker, no recovery and no schedule finds anything to do."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F

from endpoints import data
from runs.engine import stored_outputs
from runs.engine.plan import planned
from runs.logs import DRIVER_LOG, LogWriter
from runs.models import (
    Artifact,
    Experiment,
    Kind,
    Metric,
    MetricValue,
    PipelineRun,
    Run,
    RunAttribute,
    ScheduleTick,
    StatusChange,
    StepAttempt,
    StepRun,
)
from runs.naming import experiment_of
from runs.states import Status
from runs.submission import NewGraph, Submission, rows
from runs.submission.check import Examined, examine
from runs.submission.target import Found
from runs.tracking import artifacts
from runs.tracking.author import Author
from studio.core.access import Actor
from studio.core.models import AuditEvent, Door, Workspace
from studio.demo.playing import Ending, Logged, Played, play
from studio.storage.store import studio_store

AT_ONCE = 1000  # runs per write
WORKERS = ("gpu-01:1873:60215-7be1", "cpu-01:2214:91822-3fa1", "cpu-02:1990:88740-c04d")
IMAGE = "azureml.v2.image"


@dataclass
class Past:
    """A run that is over, with all that belongs to it, not yet in the database."""

    run: Run
    made: PipelineRun
    steps: list[StepRun]
    endings: Mapping[str, Ending]
    played: Played
    examined: Examined


@dataclass(frozen=True)
class Asked:
    """A submission, examined once for any number of runs."""

    actor: Actor
    submission: Submission
    found: Found
    examined: Examined
    experiment: Experiment
    warnings: list[str]


@dataclass
class History:
    """Collects runs, in the order of their times, and writes them together."""

    experiments: dict[str, Experiment] = field(default_factory=dict)
    waiting: list[Past] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)
    ticks: list[ScheduleTick] = field(default_factory=list)

    def ask(self, actor: Actor, submission: Submission, *, at: datetime) -> Asked:
        if isinstance(submission.target, NewGraph):
            raise TypeError("A run of the past needs a graph that is stored already.")
        found, settings = submission.target.find(), submission.settings
        name, warnings = experiment_of(settings.experiment, found.endpoint or found.pipeline)
        caller = "Schedule" if submission.schedule else "Caller"
        if name not in self.experiments:
            self.experiments[name], _ = Experiment.objects.get_or_create(
                workspace=actor.workspace, name=name, defaults={"created_at": at}
            )
        examined = examine(actor, found, settings, strict=submission.strict, caller=caller)
        return Asked(actor, submission, found, examined, self.experiments[name], warnings)

    def add(
        self,
        asked: Asked,
        *,
        at: datetime,
        endings: Mapping[str, Ending] | None = None,
        canceled_after: float | None = None,
        **origin: Any,
    ) -> Past:
        """A run that was submitted `at`, from the `origin` that its audit event names."""
        asked.experiment.runs_made += 1
        run = rows.run(
            asked.actor,
            asked.submission,
            asked.found,
            asked.examined,
            experiment=asked.experiment,
            now=at,
        )
        made = rows.pipeline_run(run, asked.submission, asked.found, asked.examined, asked.warnings)
        places = asked.examined.places
        steps = planned(run, asked.examined.blueprint, places.sources, places.destinations)
        endings = endings or {}
        worker = WORKERS[run.number % len(WORKERS)]
        played = play(run, made, steps, endings, worker=worker, canceled_after=canceled_after)
        self.note(rows.audit_event(asked.actor, run, asked.found), at=at, **origin)
        past = Past(run, made, steps, endings, played, asked.examined)
        self.waiting.append(past)
        if len(self.waiting) >= AT_ONCE:
            self.write()
        return past

    def note(
        self, event: AuditEvent, *, at: datetime, door: Door = Door.REST, address: str | None = None
    ) -> None:
        """An event of the audit trail."""
        event.at, event.door, event.address = at, door, address
        self.events.append(event)

    def write(self) -> None:
        """Write what has been collected; its files are stored, too."""
        AuditEvent.objects.bulk_create(self.events)
        if self.waiting:
            _write(self.waiting)
            Experiment.objects.bulk_update(self.experiments.values(), ["runs_made"])
        ScheduleTick.objects.bulk_create(self.ticks)
        self.events, self.waiting, self.ticks = [], [], []


def _write(batch: Sequence[Past]) -> None:
    _write_runs(batch)
    _write_steps(batch)
    StatusChange.objects.bulk_create(each for past in batch for each in past.played.changes)
    StepAttempt.objects.bulk_create(each for past in batch for each in past.played.attempts)
    RunAttribute.objects.bulk_create(
        each for past in batch for each in rows.attributes(past.run, past.examined)
    )
    _write_told(batch)


def _write_runs(batch: Sequence[Past]) -> None:
    made = Run.objects.bulk_create(past.run for past in batch)
    Run.objects.filter(root=None, kind=Kind.PIPELINE).update(root=F("id"))
    for run in made:
        run.root_id = run.pk
    PipelineRun.objects.bulk_create(past.made for past in batch)


def _write_steps(batch: Sequence[Past]) -> None:
    steps = [step for past in batch for step in past.steps]
    for past in batch:
        for step in past.steps:
            step.run.parent_id = step.run.root_id = past.run.pk
    stores: dict[str, data.Location] = {}
    for step in steps:
        if step.run.status == Status.COMPLETED and step.reused_from is None:
            _store_outputs(step.run.workspace, step, stores)
    Run.objects.bulk_create(step.run for step in steps)
    StepRun.objects.bulk_create(steps)


def _store_outputs(workspace: Workspace, step: StepRun, stores: dict[str, data.Location]) -> None:
    """Store a file in each output."""
    for port, place in step.outputs.items():
        name = place["datastore"]
        if name not in stores:
            stores[name] = data.locate(workspace, name, "")
        content = json.dumps({"step": step.run.name, "run": str(step.run.uuid)}).encode()
        file = data.Entry(f"{place['path']}/part-00000.json", len(content))
        stores[name].store.write_bytes(file.path, content)
        step.outputs[port] = stored_outputs.record(
            place, [file], run=step.run.uuid, attempt=step.run.attempt, port=port
        )


def _write_told(batch: Iterable[Past]) -> None:
    """Logs, metrics and artifacts of steps that began."""
    metrics: list[Metric] = []
    values: list[MetricValue] = []
    kept: list[Artifact] = []
    for past in batch:
        attempts = {each.step.run.uuid: each for each in past.played.attempts}
        for step in past.steps:
            ending, attempt = past.endings.get(step.run.name), attempts.get(step.run.uuid)
            if ending is None or attempt is None or step.reused_from is not None:
                continue
            begun, end = step.run.started_at, step.run.finished_at
            if ending.log is not None and begun is not None and end is not None:
                writer = LogWriter(step.run.uuid, DRIVER_LOG, attempt=attempt.number)
                writer.write(ending.log(begun, end).encode())
            if step.run.status == Status.CANCELED:
                continue
            kept += [_store(step, attempt, *file) for file in ending.files.items()]
            for logged in ending.metrics:
                metric, points = _metric(step, attempt, logged)
                metrics.append(metric)
                values += points
    Metric.objects.bulk_create(metrics)
    MetricValue.objects.bulk_create(values)
    Artifact.objects.bulk_create(kept)


def _store(step: StepRun, attempt: StepAttempt, path: str, content: bytes) -> Artifact:
    blob = artifacts.blob_of(step.run.uuid, path, Author(step.run.pk, attempt.number))
    studio_store().write_bytes(blob, content)
    return Artifact(
        run=step.run,
        path=path,
        blob=blob,
        size=len(content),
        attempt=attempt.pk,
        created_at=attempt.finished_at or attempt.started_at,
    )


def _metric(
    step: StepRun, attempt: StepAttempt, logged: Logged
) -> tuple[Metric, list[MetricValue]]:
    metric = Metric(
        run=step.run,
        name=logged.name,
        columns=dict(logged.columns),
        properties={"uxMetricType": logged.kind},
    )
    place = f"aml://artifactId/ExperimentRun/{step.run.data_container_id}/"
    begun, end = (
        step.run.started_at or attempt.started_at,
        attempt.finished_at or attempt.started_at,
    )
    every = (end - begun) / (len(logged.points) + 1)
    points = [
        MetricValue(
            metric=metric,
            data={name: f"{place}{value}" for name, value in point.items()}
            if logged.kind == IMAGE
            else dict(point),
            attempt=attempt.pk,
            created_at=begun + every * (number + 1),
        )
        for number, point in enumerate(logged.points)
    ]
    return metric, points

from runs.models.drafts import GraphDraft, PipelineDraft
from runs.models.experiment import Experiment
from runs.models.registered import Asset, RegisteredModel
from runs.models.run import Kind, PipelineRun, Run, Source
from runs.models.schedules import Schedule, Trigger
from runs.models.status_change import StatusChange
from runs.models.step import Outcome, StepAttempt, StepRun
from runs.models.tick import ScheduleTick, TickOutcome
from runs.models.tracking import Artifact, Metric, MetricValue, ReplacedArtifact, RunAttribute
from runs.models.worker import Worker

__all__ = [
    "Artifact",
    "Asset",
    "Experiment",
    "GraphDraft",
    "Kind",
    "Metric",
    "MetricValue",
    "Outcome",
    "PipelineDraft",
    "PipelineRun",
    "RegisteredModel",
    "ReplacedArtifact",
    "Run",
    "RunAttribute",
    "Schedule",
    "ScheduleTick",
    "Source",
    "StatusChange",
    "StepAttempt",
    "StepRun",
    "TickOutcome",
    "Trigger",
    "Worker",
]

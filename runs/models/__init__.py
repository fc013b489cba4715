from runs.models.experiment import Experiment
from runs.models.facts import Artifact, Metric, MetricValue, RunAttribute, StatusChange
from runs.models.run import Kind, PipelineRun, Run, Source
from runs.models.step import Outcome, StepAttempt, StepRun
from runs.models.worker import Worker

__all__ = [
    "Artifact",
    "Experiment",
    "Kind",
    "Metric",
    "MetricValue",
    "Outcome",
    "PipelineRun",
    "Run",
    "RunAttribute",
    "Source",
    "StatusChange",
    "StepAttempt",
    "StepRun",
    "Worker",
]

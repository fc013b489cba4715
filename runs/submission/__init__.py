"""The one way to make a run: every door makes a `Submission` and calls `submit`."""

from runs.submission import public
from runs.submission.idempotency import Key, run_of_key
from runs.submission.rows import Submission
from runs.submission.settings import Remark, RunSettings
from runs.submission.submit import start, submit
from runs.submission.target import (
    EndpointTarget,
    GraphTarget,
    NewGraph,
    PipelineTarget,
    Target,
    verb_to_run,
)

__all__ = [
    "EndpointTarget",
    "GraphTarget",
    "Key",
    "NewGraph",
    "PipelineTarget",
    "Remark",
    "RunSettings",
    "Submission",
    "Target",
    "public",
    "run_of_key",
    "start",
    "submit",
    "verb_to_run",
]

"""The verbs of a run. Each checks access, refuses what cannot be, writes in one transaction."""

from runs.services.changing import cancel, edit, resubmit
from runs.services.submission import submit
from runs.services.tracking import keep_artifact, log_metric, make_child

__all__ = [
    "cancel",
    "edit",
    "keep_artifact",
    "log_metric",
    "make_child",
    "resubmit",
    "submit",
]

"""The verbs of a run. Each checks access, refuses what cannot be, writes in one transaction."""

from runs.services.changing import cancel, edit, resubmit
from runs.services.registered import (
    create_asset,
    delete_model,
    edit_model,
    keep_upload,
    register_model,
    require_open,
)
from runs.services.schedules import (
    Watch,
    create_schedule,
    delete_schedule,
    disable_schedule,
    enable_schedule,
    update_schedule,
)
from runs.services.submission import start, submit
from runs.services.tracking import keep_artifact, log_metric, make_child

__all__ = [
    "Watch",
    "cancel",
    "create_asset",
    "create_schedule",
    "delete_model",
    "delete_schedule",
    "disable_schedule",
    "edit",
    "edit_model",
    "enable_schedule",
    "keep_artifact",
    "keep_upload",
    "log_metric",
    "make_child",
    "register_model",
    "require_open",
    "resubmit",
    "start",
    "submit",
    "update_schedule",
]

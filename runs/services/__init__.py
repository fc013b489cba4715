"""Services of runs. Each checks access, refuses what is not possible, writes in one transaction."""

from runs.services.cancel import cancel, cancel_all
from runs.services.client_runs import edit_runs, log_batch, write_run, write_runs
from runs.services.edit import edit
from runs.services.experiments import delete_experiment, edit_experiment, make_experiment
from runs.services.publish import check_publishable, publish_run
from runs.services.registered import (
    create_asset,
    delete_model,
    edit_model,
    keep_upload,
    register_model,
    require_open,
)
from runs.services.resubmit import resubmit
from runs.services.tracking import (
    PARAM,
    append_to_artifact,
    keep_artifact,
    log_metrics,
    log_params,
    make_child,
)

__all__ = [
    "PARAM",
    "append_to_artifact",
    "cancel",
    "cancel_all",
    "check_publishable",
    "create_asset",
    "delete_experiment",
    "delete_model",
    "edit",
    "edit_experiment",
    "edit_model",
    "edit_runs",
    "keep_artifact",
    "keep_upload",
    "log_batch",
    "log_metrics",
    "log_params",
    "make_child",
    "make_experiment",
    "publish_run",
    "register_model",
    "require_open",
    "resubmit",
    "write_run",
    "write_runs",
]

"""The runs an actor may see, with what their entities print."""

from runs.models import Run
from studio.core.rest.views import find

# Relations that RunDto and PipelineRunEntity need, read in one query.
PRINTED = (
    *("experiment", "parent", "root", "user", "pipeline", "endpoint", "pipeline_run"),
    *("step", "step__reused_from__run__parent"),
)


# Columns that they do not need, and that may be large.
UNREAD = (
    *(f"pipeline_run__graph__{column}" for column in ("wire", "interface", "dataset_defaults")),
    *(f"schedule__{column}" for column in ("recurrence", "seen", "settings")),
)


def runs(actor):
    return Run.objects.visible_to(actor).select_related(*PRINTED).defer("pipeline_run__raw_request")


def pipeline_runs(actor):
    rows = Run.objects.visible_to(actor).pipeline_runs()
    rows = rows.select_related(
        *("experiment", "user", "pipeline", "endpoint", "schedule"),
        *("pipeline_run", "pipeline_run__graph"),
    )
    return rows.defer("pipeline_run__raw_request", *UNREAD)


def find_run(actor, uuid: str, **where) -> Run:
    return find(runs(actor).filter(**where), uuid, "Run with ID")


def find_parent(actor, uuid: str | None) -> Run | None:
    """The run that a caller names as the parent of another, if any."""
    return find_run(actor, uuid) if uuid else None


def find_pipeline_run(actor, uuid: str) -> Run:
    return find(pipeline_runs(actor), uuid, "Pipeline run")

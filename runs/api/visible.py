"""The runs an actor may see, with what their entities print, and how far a step's token may write."""

from runs.models import Run
from studio.core.errors import Forbidden
from studio.core.rest.views import find

# What RunDto and PipelineRunEntity print, in one query.
PRINTED = (
    *("experiment", "parent", "root", "user", "pipeline", "endpoint", "pipeline_run"),
    *("step", "step__reused_from__run__parent"),
)


# What they do not print, and may be large.
UNREAD = (
    *(f"pipeline_run__graph__{column}" for column in ("wire", "interface", "dataset_defaults")),
    *(f"schedule__{column}" for column in ("recurrence", "seen", "submission")),
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


def find_pipeline_run(actor, uuid: str) -> Run:
    return find(pipeline_runs(actor), uuid, "Pipeline run")


def require_reach(actor, run: Run, *, facts_only: bool) -> None:
    """A step's token writes its own run and its children; of its parent only tags, metrics and
    artifacts (wire.md 2.3). Other actors are bounded by their role, which services check."""
    if actor.run_uuid is None:
        return
    above = run
    while above is not None:
        if above.uuid == actor.run_uuid:
            return
        above = above.parent
    own_parent = Run.objects.filter(uuid=actor.run_uuid, parent_id=run.pk)
    if not (facts_only and own_parent.exists()):
        raise Forbidden("A step's own token writes only its own run, and facts of its parent.")

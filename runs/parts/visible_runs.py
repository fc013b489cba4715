"""Runs that a page may show: those of the reader's workspace."""

from django.http import Http404
from django.shortcuts import get_object_or_404

from runs.models import Kind, Run
from runs.parts.definitions import reader

# Kinds of runs in lists: those that somebody started, not their parts.
TOP = (Kind.PIPELINE, Kind.SCRIPT)
# Kinds of runs that their client drives, without a graph.
TRACKED = (Kind.SCRIPT, Kind.CHILD)

# Columns of a list; of the JSON columns only the tags.
LISTED = ("experiment", "endpoint", "pipeline", "pipeline_run")
UNLISTED = (
    *("properties", "description", "error"),
    *("pipeline__parameter_defaults", "pipeline__properties", "pipeline__description"),
    *("endpoint__tags", "endpoint__properties", "endpoint__description"),
    *("experiment__tags", "experiment__description"),
    *("pipeline_run__parameters", "pipeline_run__datasets", "pipeline_run__datapaths"),
    *("pipeline_run__provenance", "pipeline_run__warnings", "pipeline_run__raw_request"),
)

# Further columns for the heading of a run's page: the name of the schedule.
HEADED = (*LISTED, "schedule", "workspace")
UNHEADED = ("schedule__seen", "schedule__settings", "schedule__recurrence")


def top(request):
    """Runs of any kind with the columns of a list; callers restrict them to some of `TOP`."""
    return Run.objects.visible_to(reader(request)).select_related(*LISTED).defer(*UNLISTED)


def listed(request):
    """Pipeline runs with the columns of a list."""
    return top(request).pipeline_runs()


def find_run(request, uuid) -> Run:
    """The pipeline run of this id."""
    runs = Run.objects.visible_to(reader(request)).filter(kind=Kind.PIPELINE)
    return get_object_or_404(
        runs.select_related(*HEADED, "pipeline_run__graph").defer(*UNHEADED), uuid=uuid
    )


def find_submitted(request, uuid) -> Run:
    """The run of this id that has a graph and can be submitted again: a pipeline's or a
    script's."""
    runs = Run.objects.visible_to(reader(request)).filter(kind__in=TOP, pipeline_run__isnull=False)
    return get_object_or_404(runs.select_related(*HEADED, "pipeline_run__graph"), uuid=uuid)


def find_whole(request, uuid) -> Run:
    """A run that has a page of its own; a step is part of its run's page."""
    runs = Run.objects.visible_to(reader(request)).exclude(kind=Kind.STEP)
    related = (*HEADED, "parent__parent", "parent__step")
    return get_object_or_404(runs.select_related(*related).defer(*UNHEADED), uuid=uuid)


def below(run: Run):
    """The runs that its script made or submitted, without the steps of a pipeline run."""
    return run.children.exclude(kind=Kind.STEP)


def find_any(request, uuid) -> Run:
    """A run of any kind: logs and files are addressed by its own id."""
    runs = Run.objects.visible_to(reader(request))
    run = runs.select_related("step__reused_from__run", "workspace").filter(uuid=uuid).first()
    if run is None:
        raise Http404
    return run


def source_of(run: Run) -> Run:
    """The run whose logs and files are shown; for a reused step the original."""
    step = getattr(run, "step", None) if run.kind == Kind.STEP else None
    return step.reused_from.run if step is not None and step.reused_from_id else run

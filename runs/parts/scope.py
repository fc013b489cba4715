"""What a page of runs may show: runs of the workspace the reader is in."""

from django.http import Http404
from django.shortcuts import get_object_or_404

from runs.models import Kind, Run
from runs.parts.definitions import reader

# What a list of runs shows: what somebody started, not the parts of it.
TOP = (Kind.PIPELINE, Kind.SCRIPT)
# Runs that their own client makes and drives, without a graph.
TRACKED = (Kind.SCRIPT, Kind.CHILD)

# What a list prints; JSON columns but for the tags stay in the database.
LISTED = ("experiment", "endpoint", "pipeline", "pipeline_run")
UNLISTED = (
    *("properties", "description", "error"),
    *("pipeline__parameter_defaults", "pipeline__properties", "pipeline__description"),
    *("endpoint__tags", "endpoint__properties", "endpoint__description"),
    *("experiment__tags", "experiment__description"),
    *("pipeline_run__parameters", "pipeline_run__datasets", "pipeline_run__datapaths"),
    *("pipeline_run__provenance", "pipeline_run__warnings", "pipeline_run__raw_request"),
)

# What the heading of a run's page adds to that: the name of the schedule.
HEADED = (*LISTED, "schedule", "workspace")
UNHEADED = ("schedule__seen", "schedule__submission", "schedule__recurrence")


def top(request):
    """Runs of any kind with what a list prints of each; who asks narrows them to some of `TOP`."""
    return Run.objects.visible_to(reader(request)).select_related(*LISTED).defer(*UNLISTED)


def listed(request):
    """Pipeline runs with what a list prints of each."""
    return top(request).pipeline_runs()


def find_run(request, uuid) -> Run:
    """The pipeline run of this id."""
    runs = Run.objects.visible_to(reader(request)).filter(kind=Kind.PIPELINE)
    return get_object_or_404(
        runs.select_related(*HEADED, "pipeline_run__graph").defer(*UNHEADED), uuid=uuid
    )


def find_submitted(request, uuid) -> Run:
    """The run of this id of a graph, which can be submitted again: a pipeline's or a script's."""
    runs = Run.objects.visible_to(reader(request)).filter(kind__in=TOP, pipeline_run__isnull=False)
    return get_object_or_404(runs.select_related(*HEADED, "pipeline_run__graph"), uuid=uuid)


def find_whole(request, uuid) -> Run:
    """A run that has a page of its own; a step is a part of the page of its run."""
    runs = Run.objects.visible_to(reader(request)).exclude(kind=Kind.STEP)
    related = (*HEADED, "parent__parent", "parent__step")
    return get_object_or_404(runs.select_related(*related).defer(*UNHEADED), uuid=uuid)


def below(run: Run):
    """The runs that its script made or submitted; a pipeline run's steps are parts of it."""
    return run.children.exclude(kind=Kind.STEP)


def find_any(request, uuid) -> Run:
    """A run of any kind: its logs and files are asked for by its own id."""
    runs = Run.objects.visible_to(reader(request))
    run = runs.select_related("step__reused_from__run", "workspace").filter(uuid=uuid).first()
    if run is None:
        raise Http404
    return run


def source_of(run: Run) -> Run:
    """The run whose logs and files are shown: a reused step shows those of the one it stands for."""
    step = getattr(run, "step", None) if run.kind == Kind.STEP else None
    return step.reused_from.run if step is not None and step.reused_from_id else run

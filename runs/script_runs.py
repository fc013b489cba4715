"""Runs of a single script. A worker carries one out as a step, but clients know one run only, which
is the script's."""

from django.db.models import Q

from runs.models import Kind, Run
from runs.querysets import RunQuerySet

STEPS = Q(kind=Kind.STEP, parent__kind=Kind.SCRIPT)


def has_step(run: Run) -> bool:
    """Whether a worker runs the script; of others, their client only reports."""
    return run.kind == Kind.SCRIPT and run.is_ours


def known_run(step: Run) -> Run:
    """The run that clients and the step's own process know: the step, or its script's run."""
    return step.owner if step.owner.kind == Kind.SCRIPT else step


def steps_of(known: Run) -> RunQuerySet:
    """The step that clients know as `known`; none if that is no step."""
    place = {"parent": known} if known.kind == Kind.SCRIPT else {"pk": known.pk}
    return Run.objects.filter(**place, kind=Kind.STEP)

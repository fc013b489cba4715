"""The addresses that the SDK prints and builds for the portal (`get_portal_url()`), also those of
older releases. `/runs/<id>` is our own address too; the others redirect."""

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from endpoints.models import ComputeTarget
from runs.models import Experiment
from runs.parts.definitions import find_pipeline, reader


@require_safe
def experiment(request, **named):
    """Redirect to the runs of an experiment, by name or id."""
    row = get_object_or_404(Experiment, workspace=reader(request).workspace, **named)
    return redirect(f"{reverse('runs:run-list')}?experiment={row.uuid}")


@require_safe
def mlflow(request, **scope):
    """MLflow prints an address with the run after `#`, which servers do not see: it is the newest
    run."""
    if scope["workspace"].lower() != reader(request).workspace.name.lower():
        raise Http404
    return redirect("runs:run-list")


@require_safe
def pipeline(request, uuid):
    return redirect(find_pipeline(request, uuid))


@require_safe
def run(request, run_uuid, **named):
    return redirect("runs:run-detail", uuid=run_uuid)


@require_safe
def compute(request, name):
    row = get_object_or_404(ComputeTarget, workspace=reader(request).workspace, name=name)
    return redirect(f"{reverse('endpoints:compute-list')}#target-{row.name}")

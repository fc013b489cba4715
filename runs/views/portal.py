"""The addresses that the SDK prints and builds with the portal's host (`get_portal_url()`), those of its
older releases included. `/runs/<id>` is our own address too; the others lead on from here."""

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from endpoints.models import ComputeTarget
from runs.models import Experiment
from runs.parts.definitions import find_pipeline, reader


@require_safe
def experiment(request, **named):
    """By the experiment's name or id: its runs."""
    row = get_object_or_404(Experiment, workspace=reader(request).workspace, **named)
    return redirect(f"{reverse('runs:run-list')}?experiment={row.uuid}")


@require_safe
def mlflow(request, **scope):
    """MLflow prints an address with the run behind its #, which no server sees: it is the newest."""
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
    return redirect(f"{reverse('runs:compute-list')}#target-{row.name}")

"""Compute: the targets that steps name, the workers that serve each now, and what waits for it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from endpoints.models import ComputeTarget
from endpoints.services import create_compute
from runs.models import Kind, Run, StepAttempt, Worker
from runs.serving import serving
from runs.states import Status
from studio.core.access import require
from studio.core.ui.decorators import form_view
from studio.core.ui.forms import RefusableForm, TextArea, attempt


class TargetForm(RefusableForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=64)
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=TextArea
    )


@require_safe
def compute_list(request):
    require(request.actor, "read")
    targets: list[Any] = list(
        ComputeTarget.objects.filter(workspace=request.actor.workspace).order_by("name")
    )
    workers: list[Any] = list(Worker.objects.responding().filter(role="worker").order_by("name"))
    living = [worker for worker in workers if worker.stopping_at is None]
    busy = dict(
        StepAttempt.objects.filter(finished_at=None, worker__in=[worker.name for worker in workers])
        .values_list("worker")
        .annotate(Count("pk"))
    )
    for worker in workers:
        worker.busy = busy.get(worker.name, 0)
    waiting = _steps_by_target(request, Status.QUEUED)
    running = _steps_by_target(request, Status.RUNNING)
    for target in targets:
        target.workers = serving(target.name, living)
        target.slots = sum(worker.slots for worker in target.workers)
        target.waiting, target.running = waiting.get(target.name, 0), running.get(target.name, 0)
    context = {"nav": "compute", "targets": targets, "workers": workers}
    return render(request, "endpoints/compute_list.html", context)


def _steps_by_target(request, status: Status) -> dict[str, int]:
    found = Run.objects.filter(
        workspace=request.actor.workspace, kind=Kind.STEP, status=status, finished_at=None
    )
    return dict(found.order_by().values_list("target").annotate(Count("pk")))


@form_view
def compute_new(request):
    require(request.actor, "compute")
    form = TargetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        target = attempt(
            request,
            form,
            lambda: create_compute(request.actor, **form.cleaned_data),
            otherwise="name",  # constraints of several columns are about the name, too
        )
        if target is not None:
            messages.success(request, _("Target %(name)s is made.") % {"name": target.name})
            return redirect("endpoints:compute-list")
    return render(request, "endpoints/compute_new.html", {"nav": "compute", "form": form})

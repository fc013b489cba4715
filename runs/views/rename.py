"""Renaming a run."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from runs import services
from runs.forms.rename import RenameForm
from runs.parts import visible_runs
from studio.core.access import require
from studio.core.ui.decorators import form_view


@form_view
def rename(request, uuid):
    run = visible_runs.find_whole(request, uuid)
    require(request.actor, "change", run)
    current = {"display_name": str(run), "description": run.description}
    form = RenameForm(request.POST if request.method == "POST" else None, initial=current)
    if form.is_valid():
        services.edit(request.actor, run, **form.cleaned_data)
        messages.success(request, _("The run is now called %(name)s.") % {"name": run})
        return redirect(run)
    return render(request, "runs/run_rename.html", {"nav": "pipelines", "run": run, "form": form})

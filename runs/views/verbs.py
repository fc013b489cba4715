"""Canceling runs: one from its page, several from the list."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from runs import services
from runs.engine.blueprints import as_uuid
from runs.models import Run
from runs.views import scope
from studio.core.errors import Refused


@require_http_methods(["GET", "POST"])
def cancel(request, uuid):
    """The question, then the deed."""
    run = scope.find_run(request, uuid)
    if request.method == "GET":
        return render(request, "runs/run_cancel.html", {"nav": "pipelines", "run": run})
    services.cancel(request.actor, run)
    messages.success(request, _("Run %(run)s is being canceled.") % {"run": run})
    return redirect(run)


@require_POST
def cancel_selected(request):
    """What is over already stays as it is and is named; the others are canceled."""
    runs = scope.listed(request).filter(uuid__in=selected(request)).live()
    done = sum(_canceled(request, run) for run in runs)
    if done:
        text = ngettext(
            "%(number)d run is being canceled.", "%(number)d runs are being canceled.", done
        )
        messages.success(request, text % {"number": done})
    else:
        messages.warning(request, _("None of the selected runs is running."))
    return redirect("runs:run-list")


def selected(request) -> list:
    return [value for value in map(as_uuid, request.POST.getlist("selected")) if value is not None]


def _canceled(request, run: Run) -> bool:
    try:
        services.cancel(request.actor, run)
    except Refused as error:
        messages.error(request, f"{run}: {error.message}")
        return False
    return True

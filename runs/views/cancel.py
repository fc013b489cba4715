"""Canceling runs: one from its page, several from the list."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from runs import services
from runs.models import Run
from runs.parts import visible_runs
from runs.parts.definitions import reader
from studio.core.access import require
from studio.core.ui.decorators import form_view
from studio.core.ui.dialogs import ask, list_address, selected


@form_view
def cancel(request, uuid):
    """Asks, then cancels."""
    run = visible_runs.find_whole(request, uuid)
    if request.method != "POST":
        below = visible_runs.below(run).live().exists()
        page = {"nav": "pipelines", "run": run, "below": below}
        return render(request, "runs/run_cancel.html", page)
    services.cancel(request.actor, run)
    messages.success(request, _("Run %(run)s is being canceled.") % {"run": run})
    return redirect(run)


@require_POST
def cancel_selected(request):
    """Asks, then cancels those of the selected runs that are not over yet."""
    require(reader(request), "cancel")
    runs = list(
        visible_runs.top(request)
        .filter(uuid__in=selected(request), kind__in=visible_runs.TOP)
        .live()
    )
    if runs and "confirmed" not in request.POST:
        return _confirm(request, runs)
    done = services.cancel_all(request.actor, runs)
    if done:
        text = ngettext(
            "%(number)d run is being canceled.", "%(number)d runs are being canceled.", done
        )
        messages.success(request, text % {"number": done})
    else:
        messages.warning(request, _("None of the selected runs is running."))
    return redirect(list_address("runs:run-list", request.GET))


def _confirm(request, runs: list[Run]):
    names = ", ".join(map(str, runs))
    return ask(
        request,
        nav="pipelines",
        title=ngettext("Cancel %(name)s?", "Cancel %(number)d runs?", len(runs))
        % {"name": names, "number": len(runs)},
        text=_(
            "Steps that wait are canceled at once; a running step is asked to stop, and killed"
            " after a grace period. What has completed stays."
        ),
        consequences=list(map(str, runs)) if len(runs) > 1 else [],
        submit=ngettext("Cancel the run", "Cancel the runs", len(runs)),
        cancel_url=list_address("runs:run-list", request.GET),
        hidden=[("confirmed", "1"), *(("selected", run.uuid) for run in runs)],
    )

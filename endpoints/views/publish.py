"""Publishing the graph of a finished run."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from endpoints.forms.publish import PublishForm
from runs import services
from runs.models import Run
from runs.parts import visible_runs
from studio.core.ui.decorators import form_view
from studio.core.ui.forms import attempt


@form_view
def publish(request, uuid):
    run = visible_runs.find_run(request, uuid)
    services.check_publishable(request.actor, run)
    form = PublishForm(request.POST or None, workspace=run.workspace, initial=_initial(run))
    if request.method == "POST" and form.is_valid():
        pipeline = attempt(
            request,
            form,
            lambda: services.publish_run(request.actor, run, **form.arguments()),
        )
        if pipeline is not None:
            messages.success(request, _("Pipeline %(name)s is published.") % {"name": pipeline})
            return redirect(pipeline)
    return render(
        request, "endpoints/run_publish.html", {"nav": "pipelines", "run": run, "form": form}
    )


def _initial(run: Run) -> dict:
    return {
        "where": "existing" if run.endpoint else "new",
        "endpoint": run.endpoint and run.endpoint.uuid,
        "name": run.name,
        "description": run.description,
        "continue_on_step_failure": run.pipeline_run.continue_on_step_failure,
    }

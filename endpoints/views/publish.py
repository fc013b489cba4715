"""Publishing the graph of a finished run."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from endpoints.forms.publish import PublishForm
from runs import services
from runs.models import Run
from runs.parts import visible_runs
from studio.core.access import Actor
from studio.core.errors import Refused
from studio.core.ui.decorators import form_view


@form_view
def publish(request, uuid):
    run = visible_runs.find_run(request, uuid)
    services.check_publishable(request.actor, run)
    form = PublishForm(request.POST or None, workspace=run.workspace, initial=_initial(run))
    if request.method == "POST" and form.is_valid():
        pipeline = _published(request.actor, run, form)
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


def _published(actor: Actor, run: Run, form: PublishForm):
    """The new pipeline; or None, with the reasons on the form and nothing created."""
    given = form.cleaned_data
    try:
        return services.publish_run(
            actor,
            run,
            name=given["name"],
            description=given["description"],
            version=given["version"],
            continue_on_step_failure=given["continue_on_step_failure"],
            endpoint=form.existing_endpoint,
            new_endpoint=form.new_endpoint,
            set_default=given["set_default"],
        )
    except (ValidationError, Refused) as error:
        form.refuse(error)
    return None

"""Publishing the graph of a finished run."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from endpoints import services as definitions
from endpoints.forms.publish import PublishForm
from runs.models import Run
from runs.parts import visible_runs
from runs.states import Status
from studio.core.access import Actor, require
from studio.core.errors import Refused
from studio.core.ui.decorators import form_view


@form_view
def publish(request, uuid):
    run = visible_runs.find_run(request, uuid)
    require(request.actor, "publish", run)
    if run.status != Status.COMPLETED:
        raise Refused(_("Only a run that completed can be published."))
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
        return definitions.publish(
            actor,
            name=given["name"],
            graph=run.pipeline_run.graph,
            description=given["description"],
            version=given["version"],
            continue_on_step_failure=given["continue_on_step_failure"],
            source_run_uuid=run.uuid,
            endpoint=form.endpoint_name,
            set_default=given["set_default"],
        )
    except (ValidationError, Refused) as error:
        form.refuse(error)
    return None

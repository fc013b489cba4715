"""Running a run again, with all values editable."""

from django.shortcuts import render

from endpoints import blueprints
from runs import services
from runs.forms.submit import SubmitForm
from runs.models import Run
from runs.parts import visible_runs
from runs.submission import Key, RunSettings, verb_to_run
from runs.views.submit import experiments_of, submitted
from studio.core.access import require
from studio.core.ui.decorators import form_view, triggers
from studio.core.ui.forms import attempt


@triggers("Run")
@form_view
def resubmit(request, uuid):
    run = visible_runs.find_submitted(request, uuid)
    require(request.actor, verb_to_run(run.pipeline), run)
    form = _form(request, run)
    if request.method == "POST" and form.is_valid():
        made = _resubmit(request, run, form)
        if made is not None:
            return submitted(request, made)
    context = {"nav": "pipelines", "run": run, "form": form}
    return render(request, "runs/run_resubmit.html", context)


def _form(request, run: Run) -> SubmitForm:
    before = run.pipeline_run
    names = [run.experiment.name, *experiments_of(request.actor)]
    return SubmitForm(
        request.POST if request.method == "POST" else None,
        workspace=run.workspace,
        parameters=blueprints.load(before.graph.uuid).parameters,
        experiments=list(dict.fromkeys(names)),
        values=RunSettings.of(run).opened().values,
        initial={
            "experiment": run.experiment.name,
            "description": run.description,
            "tags": run.tags,
            "regenerate_outputs": before.regenerate_outputs,
            "continue_on_step_failure": before.continue_on_step_failure,
            "timeout_seconds": before.timeout_seconds,
        },
    )


def _resubmit(request, run: Run, form: SubmitForm) -> Run | None:
    """The new run; or None, with the reasons on the form."""
    key = Key("form", str(run.uuid), form.cleaned_data["key"])
    settings = form.settings()
    return attempt(
        request,
        form,
        lambda: services.resubmit(request.actor, run, settings, strict=True, key=key),
    )

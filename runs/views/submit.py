"""The form that runs an endpoint or a published pipeline. It is always strict: people want to know
about wrong values."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from endpoints import blueprints
from endpoints.models import PipelineEndpoint, PublishedPipeline
from endpoints.services import why_disabled
from runs.forms.submit import EXISTING, NEW, SubmitForm
from runs.models import Experiment, Run, Source
from runs.naming import suggested_experiment
from runs.parts.definitions import asked_version, find_endpoint, find_pipeline, offered_versions
from runs.submission import (
    EndpointTarget,
    Key,
    PipelineTarget,
    Submission,
    Target,
    submit,
)
from studio.core.access import Actor, require
from studio.core.errors import Refused
from studio.core.ui.decorators import form_view, triggers
from studio.core.ui.forms import attempt

EXPERIMENTS_OFFERED = 200


@triggers("PipelineEndpoint")
@form_view
def endpoint_submit(request, uuid):
    endpoint = find_endpoint(request, uuid)
    require(request.actor, "submit", endpoint)
    offered, version = offered_versions(endpoint, asked_version(request))
    if version is None:
        raise Refused(_("Pipeline endpoint %(name)s has no versions yet.") % {"name": endpoint})
    form = _form(request, version.pipeline, name=endpoint.name)
    if request.method == "POST" and form.is_valid():
        run = _submit(request, form, endpoint, EndpointTarget(endpoint, version.number))
        if run is not None:
            return submitted(request, run)
    return _page(
        request,
        form,
        title=_("Set up pipeline run: %(name)s") % {"name": endpoint.name},
        action=reverse("runs:endpoint-submit", args=[endpoint.uuid]),
        back=endpoint,
        versions=offered,
        version=version,
        endpoint=endpoint,
        reason=why_disabled(endpoint, version.pipeline, version),
    )


@triggers("PublishedPipeline")
@form_view
def pipeline_submit(request, uuid):
    pipeline = find_pipeline(request, uuid)
    require(request.actor, "submit", pipeline)
    form = _form(request, pipeline, name=pipeline.name)
    if request.method == "POST" and form.is_valid():
        run = _submit(request, form, pipeline, PipelineTarget(pipeline))
        if run is not None:
            return submitted(request, run)
    return _page(
        request,
        form,
        title=_("Set up pipeline run: %(name)s") % {"name": pipeline.name},
        action=reverse("runs:pipeline-submit", args=[pipeline.uuid]),
        back=pipeline,
        reason=why_disabled(None, pipeline),
    )


def _submit(
    request, form: SubmitForm, asked: PipelineEndpoint | PublishedPipeline, target: Target
) -> Run | None:
    """The run, or None with the service's reasons on the form."""
    submission = Submission(
        target,
        form.settings(),
        source=Source.STUDIO,
        strict=True,
        key=Key("form", str(asked.uuid), form.cleaned_data["key"]),
    )
    return attempt(request, form, lambda: submit(request.actor, submission))


def submitted(request, run: Run):
    """Redirect to the run's page, or stay with a message that links to it."""
    link = format_html('<a href="{}">{}</a>', run.get_absolute_url(), run)
    said = _("Run {run} is submitted to experiment {experiment}.")
    messages.success(request, format_html(said, run=link, experiment=run.experiment.name))
    return redirect(run)


def experiments_of(actor: Actor) -> list[str]:
    """The experiments that a form offers, newest first."""
    rows = Experiment.objects.filter(workspace=actor.workspace, archived_at=None)
    return list(rows.order_by("-pk").values_list("name", flat=True)[:EXPERIMENTS_OFFERED])


def suggestion(name: str, experiments: list[str]) -> dict:
    """What a form first says of the experiment, for runs of an endpoint or pipeline of this name."""
    own = suggested_experiment(name)
    if own in experiments:
        return {"experiment_choice": EXISTING, "experiment": own}
    return {"experiment_choice": NEW, "new_experiment": own}


def _form(request, pipeline: PublishedPipeline, *, name: str) -> SubmitForm:
    experiments = experiments_of(request.actor)
    return SubmitForm(
        request.POST if request.method == "POST" else None,
        workspace=request.actor.workspace,
        parameters=blueprints.load(pipeline.graph.uuid).parameters,
        experiments=experiments,
        initial={
            "continue_on_step_failure": pipeline.continue_on_step_failure,
            **suggestion(name, experiments),
        },
    )


def _page(request, form: SubmitForm, *, back, reason: str, **context):
    """The form; 409 if the run would be refused whatever is filled in."""
    context |= {"nav": "endpoints", "form": form, "back": back, "reason": reason}
    status = 409 if reason and request.method == "POST" else 200
    return render(request, "runs/submit.html", context, status=status)

"""New pipeline: a v1 YAML pipeline with its source folder, as a zip."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from endpoints import services
from endpoints.forms.pipeline import NewPipelineForm
from studio.core.access import require
from studio.core.rest.bodies import NO_LIMIT
from studio.core.ui.decorators import form_view
from studio.core.ui.forms import attempt

EXAMPLE = """\
pipeline:
  name: hello
  parameters:
    greeting: {type: string, default: Hello}
  default_compute: cpu-cluster
  steps:
    greet:
      type: PythonScriptStep
      name: greet
      script_name: greet.py
      arguments: [--greeting, "parameter:greeting"]
"""


@form_view
def pipeline_new(request):
    require(request.actor, "publish")
    form = NewPipelineForm(
        request.POST or None,
        request.FILES or None,
        actor=request.actor,
        initial={"endpoint": request.GET.get("endpoint", ""), "set_default": True},
    )
    if request.method == "POST" and form.is_valid():
        pipeline = attempt(
            request,
            form,
            lambda: services.publish_archive(request.actor, **form.arguments()),
            otherwise="archive",
        )
        if pipeline is not None:
            messages.success(request, _("%(name)s is published.") % {"name": pipeline.name})
            return redirect("endpoints:pipeline-detail", pipeline.uuid)
    context = {"nav": "pipelines", "form": form, "example": EXAMPLE}
    return render(request, "endpoints/pipeline_new.html", context)


# The zip is judged by what it unpacks to.
pipeline_new.body_limit = NO_LIMIT  # type: ignore[attr-defined]  # read by `limit_of`

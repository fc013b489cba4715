"""New pipeline: a v1 YAML pipeline with its source folder, as a zip (design section 7)."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from endpoints import services
from studio.core.access import require
from studio.core.errors import Refused

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


class NewPipelineForm(forms.Form):
    archive = forms.FileField(
        label=gettext_lazy("Zip of the source folder"),
        help_text=gettext_lazy("It holds pipeline.yml and the scripts that its steps run."),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("Empty: the name in the file."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    version = forms.CharField(label=gettext_lazy("Version"), required=False, max_length=100)
    endpoint = forms.CharField(
        label=gettext_lazy("Pipeline endpoint"),
        required=False,
        max_length=255,
        help_text=gettext_lazy(
            "An endpoint of this name gets a further version, or is made. Empty: no endpoint."
        ),
    )
    set_default = forms.BooleanField(
        label=gettext_lazy("Set as default pipeline for this endpoint"), required=False
    )

    def publish(self, actor):
        """The published pipeline, or None with the reasons on the form."""
        given = self.cleaned_data
        try:
            return services.publish_archive(
                actor,
                given["archive"],
                name=given["name"],
                description=given["description"] or None,
                version=given["version"] or None,
                endpoint=given["endpoint"] or None,
                set_default=given["set_default"],
            )
        except ValidationError as error:
            for text in error.messages:
                self.add_error("archive", text)
        except Refused as error:
            self.add_error(None, error.message)
        return None


@require_http_methods(["GET", "POST"])
def pipeline_new(request):
    require(request.actor, "publish")
    form = NewPipelineForm(
        request.POST or None,
        request.FILES or None,
        initial={"endpoint": request.GET.get("endpoint", ""), "set_default": True},
    )
    if request.method == "POST" and form.is_valid():
        pipeline = form.publish(request.actor)
        if pipeline is not None:
            messages.success(request, _("%(name)s is published.") % {"name": pipeline.name})
            return redirect("endpoints:pipeline-detail", pipeline.uuid)
    context = {"nav": "pipelines", "form": form, "example": EXAMPLE}
    return render(request, "endpoints/pipeline_new.html", context)

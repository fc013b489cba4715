"""The code that the steps of a published pipeline run."""

from django.views.decorators.http import require_safe

from runs.parts.code_files import code_file
from runs.parts.definitions import find_pipeline


@require_safe
def pipeline_code(request, uuid, path):
    return code_file(request, find_pipeline(request, uuid).graph.uuid, path)

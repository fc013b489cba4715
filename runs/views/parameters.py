"""The Parameters tab of a run's page."""

import json

from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from endpoints import blueprints
from endpoints.parameters import datapath_text
from runs import sealing
from runs.models import Run
from runs.parts import visible_runs
from runs.views import pages

ORIGINS = {
    "Default": _("Default of the pipeline"),
    "Caller": _("Given by the caller"),
    "Schedule": _("Given by the schedule"),
}


@require_safe
def parameters(request, uuid):
    run = visible_runs.find_run(request, uuid)
    page = pages.context(request, run, "run-parameters") | {"rows": _rows(run)}
    return render(request, "runs/run_parameters.html", page)


def _rows(run: Run) -> list[dict]:
    """Every parameter with its value in the run, and where that came from."""
    made = run.pipeline_run
    declared = blueprints.load(made.graph.uuid).parameters
    values = sealing.shown(made.parameters)
    names = dict.fromkeys([*declared, *values, *made.datasets, *made.datapaths])
    return [
        {
            "name": name,
            "value": _value(made, values, name),
            "kind": declared[name].kind if name in declared else _("not declared"),
            "default": _default(declared.get(name)),
            "origin": ORIGINS.get(origin := made.provenance.get(name, ""), origin),
            "is_given": origin not in ("", "Default"),
        }
        for name in names
    ]


def _value(made, values: dict, name: str) -> str:
    if name in made.datapaths:
        return datapath_text(made.datapaths[name])
    if name in made.datasets:
        return json.dumps(made.datasets[name], ensure_ascii=False)
    return values.get(name, "")


def _default(parameter) -> str:
    if parameter is None:
        return ""
    if parameter.secret:
        return sealing.MASK
    if not parameter.default or parameter.is_scalar:
        return parameter.default_text
    return parameter.default_text or json.dumps(dict(parameter.default), ensure_ascii=False)

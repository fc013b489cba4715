"""Experiments, as run history shows them (wire 9.2)."""

from rest_framework.response import Response

from runs.api.entities import experiment_dto
from runs.models import Experiment
from runs.services.names import experiment_name
from studio.core.access import require
from studio.core.bodies import Body
from studio.core.rest import WireView, find, find_by_name


def experiments(actor):
    return Experiment.objects.filter(workspace=actor.workspace)


def experiment_by_name(actor, name: str) -> Experiment:
    """404 is load-bearing: it makes the client create the experiment (wire 3.4)."""
    return find_by_name(experiments(actor), name, "Experiment")


class ExperimentByName(WireView):
    for_run_tokens = True

    def get(self, request, name, **scope):
        return Response(experiment_dto(experiment_by_name(self.actor, name)))

    def post(self, request, name, **scope):
        require(self.actor, "submit")
        Body(request.data)
        experiment, _ = Experiment.objects.get_or_create(
            workspace=self.actor.workspace, name=experiment_name(name)
        )
        return Response(experiment_dto(experiment))


class ExperimentById(WireView):
    for_run_tokens = True

    def get(self, request, experiment_id, **scope):
        return Response(experiment_dto(find(experiments(self.actor), experiment_id, "Experiment")))


class QueryExperiments(WireView):
    def post(self, request, **scope):
        body = Body(request.data)
        rows = experiments(self.actor).order_by("-pk")
        if body.text("viewType").lower() != "all":
            rows = rows.filter(archived_at__isnull=True)
        return Response({"value": [experiment_dto(row) for row in rows], "continuationToken": None})

"""Runs made in two calls, as `Experiment.submit(pipeline)` does (wire.md 8.1): the first posts the
graph and returns the run's id, the second starts the run."""

from dataclasses import replace
from functools import partial

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from endpoints.services import create_graph
from runs.api import visible
from runs.api.idempotency import DOCUMENTED, KeyedView, reply
from runs.submission import NewGraph, Submission, start, submit
from runs.wire import submission
from runs.wire.entities import pipeline_run_entity
from studio.core.rest.bodies import Body, query_text
from studio.core.rest.schema import query
from studio.core.rest.views import TriggerDoor


class CreateWithGraph(KeyedView):
    triggers = "Graph"

    @extend_schema(parameters=[query("experimentName"), DOCUMENTED])
    def post(self, request, **scope):
        body = Body(request.data)
        info = Body(body.mapping("CreationInfo"), name="CreationInfo")
        settings = submission.read_creation(body, info)
        if experiment := query_text(request.query_params, "experimentName"):
            settings = replace(settings, experiment=experiment)
        make = partial(
            create_graph,
            wire=body.mapping("Graph"),
            interface=body.mapping("GraphInterface"),
            # The client has merged the defaults and the caller's values.
            dataset_defaults=settings.datasets,
        )
        run = submit(
            self.actor,
            Submission(
                NewGraph(make),
                settings,
                source=submission.source_of(settings),
                key=self.key("graph"),
                held=True,
                request=info.raw,
            ),
        )
        return reply(run, pipeline_run_entity(run, self.base_url))


class SubmitRun(TriggerDoor):
    """Starts a run; an empty 200, also for a run that was started already."""

    triggers = "Run"
    field_names = submission.FIELD_NAMES

    @extend_schema(parameters=[query("parentRunId")])
    def post(self, request, uuid, **scope):
        run = visible.find_pipeline_run(self.actor, uuid)
        parent = query_text(request.query_params, "parentRunId")
        start(self.actor, run, parent=visible.find_parent(self.actor, parent))
        return Response(status=200)

"""Runs made in two calls, as `Experiment.submit(pipeline)` does (wire.md 8.1): the first posts the
graph and returns the run's id, the second starts the run."""

from functools import partial

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from endpoints.services import create_graph
from runs import services
from runs.api import visible
from runs.api.idempotency import DOCUMENTED, KeyedView, reply
from runs.api.trigger import run_type_of, source_of
from runs.submission import keys
from runs.wire.entities import pipeline_run_entity
from studio.core.access import require
from studio.core.rest.bodies import LONGEST, Body, query_text
from studio.core.rest.schema import query
from studio.core.rest.views import TriggerDoor


class CreateWithGraph(KeyedView):
    triggers = "Graph"

    @extend_schema(parameters=[query("experimentName"), DOCUMENTED])
    def post(self, request, **scope):
        require(self.actor, "run code")
        body = Body(request.data)
        info = Body(body.mapping("CreationInfo"), name="CreationInfo")
        datasets = info.mapping("DataSetDefinitionValueAssignments")
        make_graph = partial(
            create_graph,
            self.actor,
            wire=body.mapping("Graph"),
            interface=body.mapping("GraphInterface"),
            # The client has merged the defaults and the caller's values.
            dataset_defaults=datasets,
        )
        run = services.submit_unpublished(
            self.actor,
            held=True,
            key=self.key("graph"),
            make_graph=make_graph,
            experiment=query_text(request.query_params, "experimentName")
            or info.text("RunHistoryExperimentName"),
            datasets=datasets,
            assignments=info.mapping("ParameterAssignments"),
            datapaths=info.mapping("DataPathAssignments"),
            description=info.text("Description"),
            display_name=info.text("DisplayName", longest=LONGEST),
            tags=info.texts("tags"),
            properties=info.texts("Properties"),
            run_source=info.text("RunSource", longest=100),
            run_type=run_type_of(info),
            source=source_of(info),
            continue_on_step_failure=info.flag(
                "ContinueExperimentOnNodeFailure", info.flag("ContinueRunOnStepFailure")
            ),
            raw_request=info.raw,
            remarks=keys.remarks_with_graph(body, info),
        )
        return reply(run, pipeline_run_entity(run, self.base_url))


class SubmitRun(TriggerDoor):
    """Starts a run; an empty 200, also for a run that was started already."""

    triggers = "Run"

    @extend_schema(parameters=[query("parentRunId")])
    def post(self, request, uuid, **scope):
        run = visible.find_pipeline_run(self.actor, uuid)
        parent = query_text(request.query_params, "parentRunId")
        services.start(
            self.actor, run, parent=visible.find_run(self.actor, parent) if parent else None
        )
        return Response(status=200)

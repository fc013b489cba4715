"""Runs made in two calls, as `Experiment.submit(pipeline)` does (wire.md 8.1): the first posts the
graph and returns the run's id, the second starts the run."""

from dataclasses import replace
from functools import partial

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from endpoints.services import create_graph
from runs.api import visible
from runs.api.idempotency import DOCUMENTED, KeyedView, reply
from runs.api.trigger import run_type_of, source_of
from runs.submission import NewGraph, RunSettings, Submission, keys, start, submit
from runs.wire.entities import pipeline_run_entity
from studio.core.rest.bodies import LONGEST, Body, query_text
from studio.core.rest.schema import query
from studio.core.rest.views import TriggerDoor


def settings_of_creation(info: Body, *, experiment: str) -> RunSettings:
    return RunSettings(
        experiment=experiment or info.text("RunHistoryExperimentName"),
        datasets=info.mapping("DataSetDefinitionValueAssignments"),
        assignments=info.mapping("ParameterAssignments"),
        datapaths=info.mapping("DataPathAssignments"),
        description=info.text("Description"),
        display_name=info.text("DisplayName", longest=LONGEST),
        tags=info.texts("tags"),
        properties=info.texts("Properties"),
        run_source=info.text("RunSource", longest=100),
        run_type=run_type_of(info),
        continue_on_step_failure=info.flag(
            "ContinueExperimentOnNodeFailure", info.flag("ContinueRunOnStepFailure")
        ),
    )


class CreateWithGraph(KeyedView):
    triggers = "Graph"

    @extend_schema(parameters=[query("experimentName"), DOCUMENTED])
    def post(self, request, **scope):
        body = Body(request.data)
        info = Body(body.mapping("CreationInfo"), name="CreationInfo")
        settings = settings_of_creation(
            info, experiment=query_text(request.query_params, "experimentName")
        )
        settings = replace(settings, remarks=keys.remarks_with_graph(body, info))
        make = partial(
            create_graph,
            wire=body.mapping("Graph"),
            interface=body.mapping("GraphInterface"),
            # The client has merged the defaults and the caller's values.
            dataset_defaults=settings.datasets,
        )
        submission = Submission(
            NewGraph(make),
            settings,
            source=source_of(settings),
            key=self.key("graph"),
            held=True,
            request=info.raw,
        )
        run = submit(self.actor, submission)
        return reply(run, pipeline_run_entity(run, self.base_url))


class SubmitRun(TriggerDoor):
    """Starts a run; an empty 200, also for a run that was started already."""

    triggers = "Run"

    @extend_schema(parameters=[query("parentRunId")])
    def post(self, request, uuid, **scope):
        run = visible.find_pipeline_run(self.actor, uuid)
        parent = query_text(request.query_params, "parentRunId")
        start(self.actor, run, parent=visible.find_run(self.actor, parent) if parent else None)
        return Response(status=200)

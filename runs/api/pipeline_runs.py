"""Pipeline runs and their nodes, as the pipelines service shows them (wire.md 5, 9.2)."""

from django.http import StreamingHttpResponse
from rest_framework.response import Response

from endpoints.graph import read_graph
from endpoints.models import PublishedPipeline
from runs import logs, services
from runs.api import visible
from runs.models import Schedule, StepRun
from runs.states import wire_status
from runs.wire.entities import (
    log_owner,
    node_output,
    pipeline_run_entities,
    pipeline_run_entity,
    task_status,
)
from runs.wire.entity_types import PipelineRunEntity
from studio.core.errors import BadValue, NotFound
from studio.core.rest import enums
from studio.core.rest.bodies import strings
from studio.core.rest.schema import documented
from studio.core.rest.views import WireView, find, without_news

NEWEST = 500  # the reply has no pages; older runs are in run history
LOGS = {
    "stdout": logs.DRIVER_LOG,
    "stderr": logs.DRIVER_LOG,  # both streams go to one file, as they did in v1
    "joblog": logs.BUILD_LOG,
}


class PipelineRunDetail(WireView):
    for_endpoint_tokens = for_run_tokens = True

    @documented(gives=PipelineRunEntity)
    def get(self, request, uuid, **scope):
        """With `Prefer: wait=60`, answers when the run has ended or the time is over."""
        run = visible.find_pipeline_run(self.actor, uuid)
        waiting = None if run.is_terminal else without_news(request)
        return waiting or Response(pipeline_run_entity(run, self.base_url))


class RunsOfPipeline(WireView):
    for_endpoint_tokens = True

    @documented(gives=list[PipelineRunEntity])
    def get(self, request, uuid, **scope):
        pipelines = PublishedPipeline.objects.filter(workspace=self.actor.workspace)
        pipeline = find(pipelines, uuid, "Published pipeline")
        runs = visible.pipeline_runs(self.actor).filter(pipeline=pipeline).order_by("-pk")
        return Response(pipeline_run_entities(runs[:NEWEST], self.base_url))


class RunsOfSchedule(WireView):
    @documented(gives=list[PipelineRunEntity])
    def get(self, request, uuid, **scope):
        return Response(pipeline_run_entities(self.runs(uuid)[:NEWEST], self.base_url))

    def runs(self, uuid: str):
        schedules = Schedule.objects.filter(workspace=self.actor.workspace).only("pk")
        schedule = find(schedules, uuid, "Schedule")
        return visible.pipeline_runs(self.actor).filter(schedule=schedule).order_by("-pk")


class LastRunOfSchedule(RunsOfSchedule):
    @documented(gives=PipelineRunEntity)
    def get(self, request, uuid, **scope):
        run = self.runs(uuid).first()
        if run is None:
            return Response(status=204)
        return Response(pipeline_run_entity(run, self.base_url))


class Cancellation(WireView):
    """Asks the run to end; the answer is an empty 200."""

    for_endpoint_tokens = True

    def cancel(self, uuid: str) -> Response:
        """200 also for a run that has ended: the SDK's `cancel()` raises at anything else, and the
        run may end at the same time (wire.md 9.2)."""
        run = visible.find_pipeline_run(self.actor, uuid)
        services.cancel(self.actor, run, over_ok=True)
        return Response(status=200)


class Execution(Cancellation):
    @documented()
    def delete(self, request, uuid, **scope):
        return self.cancel(uuid)


class Cancel(Cancellation):
    """The same for clients that send a POST."""

    @documented()
    def post(self, request, uuid, **scope):
        return self.cancel(uuid)


class NodeView(WireView):
    """A view of nodes of one run; the body lists their ids."""

    for_endpoint_tokens = for_run_tokens = True

    def run(self, uuid: str):
        return visible.find_pipeline_run(self.actor, uuid)

    def steps(self, uuid: str):
        steps = StepRun.objects.filter(run__parent=self.run(uuid))
        return steps.select_related("run", "reused_from__run__parent").order_by("pk")

    def node_id(self) -> str:
        """The one node id of the body. A longer path would lead into sub-graphs, which v1 does not
        have."""
        path = strings(self.request.data, name="body")
        if len(path) != 1:
            raise BadValue('The body must be a list of one node id, as in ["<id>"].', target="body")
        return path[0]

    def step(self, uuid: str) -> StepRun:
        node_id = self.node_id()
        step = self.steps(uuid).filter(node_id=node_id).first()
        if step is None:
            raise NotFound(f"Run {uuid} has no node {node_id!r}.")
        return step


class NodeStatusCode(NodeView):
    """Answers with a bare word."""

    def post(self, request, uuid, **scope):
        word = wire_status(self.step(uuid).run.status, of_node=True)
        as_number = enums.wants_numbers(request) and word in enums.NODE_STATUSES
        return Response(enums.NODE_STATUSES.index(word) if as_number else word)


class NodeStatus(NodeView):
    def post(self, request, uuid, **scope):
        return Response(task_status(self.step(uuid)))


class AllNodesStatus(NodeView):
    def post(self, request, uuid, **scope):
        return Response({step.node_id: task_status(step) for step in self.steps(uuid)})


class NodeLog(NodeView):
    """Answers with raw text: clients would show JSON with its quotes."""

    def post(self, request, uuid, which, **scope):
        owner = log_owner(self.step(uuid).run)
        chunks = logs.stream_log(owner.uuid, LOGS[which.lower()])
        return StreamingHttpResponse(chunks, content_type="text/plain; charset=utf-8")


class NodeOutputs(NodeView):
    def post(self, request, uuid, **scope):
        step = self.step(uuid)
        return Response({port: node_output(place) for port, place in step.outputs.items()})


class PipelineOutput(NodeView):
    """An output that the graph names (wire.md 8.5, `GraphPortName`)."""

    def get(self, request, uuid, name, **scope):
        run = self.run(uuid)
        outputs = read_graph(run.pipeline_run.graph.wire).pipeline_outputs
        node_id, port = outputs.get(name, ("", ""))
        step = self.steps(uuid).filter(node_id=node_id).first()
        if step is None or port not in step.outputs:
            raise NotFound(f"Run {uuid} has no pipeline output {name!r}.")
        return Response(node_output(step.outputs[port]))

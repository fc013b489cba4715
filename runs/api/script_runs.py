"""The execution service (wire.md 9.9): `Experiment.submit(ScriptRunConfig)`, a run of one script.

The client uploads the folder as a snapshot, as for a step, and posts a run definition. Runs from a
zip, or on the client's own machine, are refused with what to do instead.
"""

from functools import partial

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from endpoints.services.scripts import create_script_graph
from runs.api import visible
from runs.api.idempotency import DOCUMENTED, KeyedView, reply
from runs.engine.plan import SNAPSHOT
from runs.models import Kind, Run, Source
from runs.submission import Key, NewGraph, RunSettings, Submission, submit
from runs.wire import script_runs
from studio.core.access import require
from studio.core.errors import BadValue, Refused
from studio.core.rest.bodies import Body, query_text
from studio.core.rest.schema import query
from studio.core.rest.views import WireView


class SnapshotRun(KeyedView):
    """The client names the run (`runId`), and uses the id of the answer, because ours are UUIDs.
    The same name again is a repeated submission."""

    triggers = "Experiment"

    @extend_schema(parameters=[query("runId"), DOCUMENTED])
    def post(self, request, name, **scope):
        body = Body(request.data)
        script = script_runs.read(body)
        parent = body.text("ParentRunId")
        submission = Submission(
            NewGraph(partial(create_script_graph, script=script), Kind.SCRIPT),
            RunSettings(experiment=name, properties={SNAPSHOT: script.snapshot_id}),
            source=Source.SDK,
            parent=visible.find_parent(self.actor, parent),
            key=self.key_of(name),
            request=body.raw,
        )
        run = submit(self.actor, submission)
        return reply(run, started(run))

    def key_of(self, experiment: str) -> Key | None:
        """The key in the header, else the client's name of the run, which is unique per
        experiment."""
        run_id = query_text(self.request.query_params, "runId")
        own = Key("script", experiment, run_id) if run_id else None
        return self.key(f"script {experiment}") or own


def started(run: Run) -> dict:
    return {"runId": str(run.uuid), "status": run.status, "experimentName": run.experiment.name}


class ZipRun(WireView):
    def post(self, request, **scope):
        raise BadValue(
            "A run of a zip is not taken: unset AML_FORCE_EXECUTE_WITH_ZIP, and leave"
            " snapshot_project on.",
            target="projectZipFile",
        )


class LocalRun(WireView):
    def post(self, request, **scope):
        raise BadValue(
            'The target "local" is the caller\'s own machine, where no worker of the studio is: name'
            " a compute target of this workspace (compute_target=…).",
            target="target",
        )


class CleanRun(WireView):
    """There is never anything to clean, because workers remove a run's folder when it ends. The
    answer lists what was removed."""

    @extend_schema(parameters=[query("all")])
    def post(self, request, name, **scope):
        require(self.actor, "track")
        uuid = Body(request.data).text("RunId", required=True)
        if uuid != "null":  # the client sends this for all runs
            run = visible.find_run(self.actor, uuid, experiment__name=name)
            if not run.is_terminal:
                raise Refused(f"Run {run} is not over: cancel it first.")
        return Response([])

"""Several runs in one call, as `Run.create_children()` creates them: all or none."""

from rest_framework.response import Response

from runs import services
from runs.api.history import HistoryView, told_by
from runs.api.visible import runs
from runs.wire.entities import run_dto
from runs.wire.history import StatedRun
from studio.core.errors import BadValue
from studio.core.rest.bodies import Body

LARGEST = 100  # the SDK never sends more at once


def rows_of(request, key: str) -> list[Body]:
    rows = Body(request.data).items(key)
    if len(rows) > LARGEST:
        raise BadValue(f"{key} may name at most {LARGEST} runs at once.", target=key)
    return [Body(row, name=key) for row in rows]


class BatchRuns(HistoryView):
    def patch(self, request, **scope):
        experiment = self.experiment()
        stated = [
            {
                **StatedRun.read(body),
                "uuid": body.text("runId", required=True),
                "experiment": experiment,
            }
            for body in rows_of(request, "runs")
        ]
        written = services.write_runs(self.actor, stated)
        fresh = {
            run.pk: run_dto(run)
            for run in runs(self.actor).filter(pk__in=[row.pk for row in written])
        }
        found = {row["uuid"]: fresh[run.pk] for row, run in zip(stated, written, strict=True)}
        return Response({"runs": found, "errors": {}})


class BatchEvents(HistoryView):
    def post(self, request, **scope):
        told = [
            (Body(event.mapping("data"), name="data").text("RunId", required=True), told_by(event))
            for event in rows_of(request, "events")
        ]
        named = {uuid: self.run(uuid) for uuid in dict(told)}
        services.edit_runs(
            self.actor, [(named[uuid], changes) for uuid, changes in told if changes]
        )
        return Response({"errors": []})

"""Many runs in one call, as `Run.create_children()` makes them: all of a batch is done, or nothing."""

from django.db import transaction
from rest_framework.response import Response

from runs.api.history import HistoryView, WritingView, apply
from runs.api.visible import runs
from runs.wire.entities import run_dto
from studio.core.errors import BadValue
from studio.core.rest.bodies import Body

LARGEST = 100  # the most that the SDK sends at once


def rows_of(request, key: str) -> list[Body]:
    rows = Body(request.data).items(key)
    if len(rows) > LARGEST:
        raise BadValue(f"{key} may name at most {LARGEST} runs at once.", target=key)
    return [Body(row, name=key) for row in rows]


class BatchRuns(WritingView):
    def patch(self, request, **scope):
        with transaction.atomic():
            written = {
                body.text("runId", required=True): self.write(body.text("runId"), body).pk
                for body in rows_of(request, "runs")
            }
        fresh = {run.pk: run_dto(run) for run in runs(self.actor).filter(pk__in=written.values())}
        found = {uuid: fresh[pk] for uuid, pk in written.items()}
        return Response({"runs": found, "errors": {}})


class BatchEvents(HistoryView):
    def post(self, request, **scope):
        with transaction.atomic():
            for event in rows_of(request, "events"):
                uuid = Body(event.mapping("data"), name="data").text("RunId", required=True)
                apply(event, self.run(uuid), by=self.actor)
        return Response({"errors": []})

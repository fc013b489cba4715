"""Run history: any run by its three addresses, its details, children, queries and changes (wire.md 9.2)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from operator import attrgetter

from rest_framework.response import Response

from endpoints.models import ComputeTarget
from runs import run_tokens, script_runs, services
from runs.api import odata, visible
from runs.api.experiments import experiment_by_name, experiments
from runs.models import Run
from runs.states import Status
from runs.wire.entities import run_details, run_dto
from runs.wire.entity_types import RunDetailsDto, RunDto, RunPage
from runs.wire.history import RunQuery, StatedRun, number
from studio.core.db.keyset import Page, paginate
from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import Body, strings
from studio.core.rest.schema import documented, query
from studio.core.rest.views import WireView, find, find_by_name, wire_time

LARGEST_PAGE = 500
# The orders that the SDK sends (wire.md 9.2); all are answered newest first.
NEWEST_FIRST = [[field, "desc"] for field in ("starttimeutc", "createdutc", "runid")]
PAGING = [
    query("$filter", "In the part of OData of wire.md 9.2; by default all runs."),
    query("$orderby", "Only newest first is served: `StartTimeUtc desc`."),
    query("$top", "The most rows; 500 at most."),
    query("$continuationToken", "From the page before."),
]
EVENTS = {
    "start": Status.RUNNING,
    "completed": Status.COMPLETED,
    "failed": Status.FAILED,
    "canceled": Status.CANCELED,
    "cancelled": Status.CANCELED,
}


class HistoryView(WireView):
    """A run at `experiments/{name}/…`, at `experimentids/{id}/…` or without an experiment."""

    field_names = {"parent": "parentRunId", "run": "runId"}
    for_endpoint_tokens = for_run_tokens = True

    def experiment(self):
        """The experiment in the address, or None."""
        if "name" in self.kwargs:
            return experiment_by_name(self.actor, self.kwargs["name"])
        if "experiment_id" in self.kwargs:
            return find(experiments(self.actor), self.kwargs["experiment_id"], "Experiment")
        return None

    def runs(self):
        experiment = self.experiment()
        rows = visible.runs(self.actor)
        return rows if experiment is None else rows.filter(experiment=experiment)

    def run(self, uuid: str) -> Run:
        return find(self.runs(), uuid, "Run with ID")

    def fresh(self, run: Run) -> Response:
        return Response(run_dto(visible.runs(self.actor).get(pk=run.pk)))


class RunDetail(HistoryView):
    @documented(gives=RunDto)
    def get(self, request, uuid, **scope):
        return Response(run_dto(self.run(uuid)))

    @documented(takes=StatedRun, gives=RunDto)
    def patch(self, request, uuid, **scope):
        stated = {
            **StatedRun.read(Body(request.data)),
            "uuid": uuid,
            "experiment": self.experiment(),
        }
        return self.fresh(services.write_run(self.actor, **stated))


class RunDetails(HistoryView):
    @documented(gives=RunDetailsDto)
    def get(self, request, uuid, **scope):
        return Response(run_details(self.run(uuid), self.base_url, by=self.actor))


class RunTags(HistoryView):
    def delete(self, request, uuid, **scope):
        run = self.run(uuid)
        services.edit(self.actor, run, remove_tags=strings(request.data, name="body"))
        return self.fresh(run)


class RunEvents(HistoryView):
    """A client reports events of its own run; the server changes the status."""

    def post(self, request, uuid, **scope):
        changes = told_by(Body(request.data))
        run = self.run(uuid)
        if changes:
            services.edit(self.actor, run, **changes)
        return Response(status=200)


def told_by(event: Body) -> dict:
    """The changes of the run that an event means."""
    word = event.text("name", required=True).rpartition(".")[2].lower()
    if word == "error":  # `fail(error_details=…)`: comes before the event that it failed
        return error_of(event)
    return {"status": EVENTS[word]} if word in EVENTS else {}  # other events change nothing


def error_of(body: Body) -> dict:
    """Reads an Error event: `{"data": {"ErrorResponse": {"error": {"code", "message"}}}}`."""
    response = Body(body.mapping("data"), name="data").mapping("ErrorResponse")
    error = Body(Body(response, name="ErrorResponse").mapping("error"), name="error")
    longest = Run._meta.get_field("error_code").max_length
    return {"error": error.text("message"), "error_code": error.text("code")[:longest]}


class RunToken(HistoryView):
    """A step renews its own token before it expires (wire.md 9.3)."""

    def get(self, request, uuid, **scope):
        run = self.run(uuid)
        if self.actor.run_uuid != run.uuid:
            raise NotFound("Only a step's own token can be renewed.")
        token, expires = run_tokens.make(run, attempt=self.actor.run_attempt)
        moment = datetime.fromtimestamp(expires, UTC)
        return Response({"token": token, "expiryTimeUtc": wire_time(moment)})


class MetricsIngest(HistoryView):
    """Answers whether a run's metrics are stored: always, because a batch is stored before it is
    answered."""

    def get(self, request, uuid, **scope):
        self.run(uuid)
        return Response({})


class ListView(HistoryView):
    """Lists runs newest first, the only order that the SDK asks for; it costs the same on every
    page."""

    def page(self, runs, *, top: int | None, token: int | None, order: str) -> Response:
        require_newest_first(order)
        size = min(max(1, top or LARGEST_PAGE), LARGEST_PAGE)
        # To clients, the single step of a script's run is that run itself.
        runs = runs.exclude(script_runs.STEPS)
        page = paginate(runs, before=token, size=size)
        return Response(
            {
                "value": [run_dto(run) for run in self.arranged(page)],
                "continuationToken": str(page.older) if page.older else None,
                "nextLink": None,
            }
        )

    def asked(self, runs) -> Response:
        """The page of `runs` that the query string asks for."""
        query = {key.lstrip("$").lower(): text for key, text in self.request.query_params.items()}
        return self.page(
            runs.filter(odata.parse(str(query.get("filter", "")))),
            top=number(query.get("top"), "top"),
            token=number(query.get("continuationtoken"), "continuationToken"),
            order=str(query.get("orderby", "")),
        )

    def arranged(self, page: Page) -> Iterable[Run]:
        return page


class RunChildren(ListView):
    """On each page, started runs come first, then waiting ones in the order in which they will
    start: a client that streams logs follows one child after the other in this order."""

    def arranged(self, page: Page) -> Iterable[Run]:
        started = sorted(
            (run for run in page if run.started_at), key=lambda run: run.started_at, reverse=True
        )
        return [
            *started,
            *sorted((run for run in page if not run.started_at), key=attrgetter("pk")),
        ]

    @documented(gives=RunPage, parameters=PAGING)
    def get(self, request, uuid, **scope):
        return self.asked(visible.runs(self.actor).filter(parent=self.run(uuid)))


class RunsOfCompute(ListView):
    """Runs on one compute target, of all experiments, including steps."""

    @documented(gives=RunPage, parameters=PAGING)
    def get(self, request, compute, **scope):
        targets = ComputeTarget.objects.filter(workspace=self.actor.workspace)
        target = find_by_name(targets, compute, "Compute target")
        return self.asked(self.runs().filter(target=target.name))


class QueryRuns(ListView):
    @documented(takes=RunQuery, gives=RunPage)
    def post(self, request, **scope):
        body = Body(request.data)
        asked = RunQuery.read(body)
        runs = self.runs().filter(odata.parse(asked["filter"]))
        order = asked["orderby"] or body.text("$orderby")
        return self.page(runs, top=asked["top"], token=asked["token"], order=order)


def require_newest_first(order: str) -> None:
    words = order.lower().split()
    if words and words not in NEWEST_FIRST:
        raise BadValue(
            f"orderby {order[:80]!r} is not served: runs come newest first, which is"
            ' "StartTimeUtc desc", "CreatedUtc desc" or "RunId desc".',
            target="orderby",
        )

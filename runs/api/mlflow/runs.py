"""Runs and their data over MLflow's API."""

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from django.db.models import F, Q
from rest_framework.response import Response

from runs import script_runs, services
from runs.api import visible
from runs.api.mlflow import entities, search
from runs.api.mlflow.base import (
    MlflowView,
    moment_of,
    page_after,
    page_size,
    pairs,
    whole,
)
from runs.api.mlflow.experiments import experiment_of, view_of
from runs.models import MetricValue, Run
from runs.states import Status
from studio.core.errors import BadValue
from studio.core.rest.bodies import LONGEST, Body
from studio.core.rest.views import find

VIEWS = {"ACTIVE_ONLY": Q(), "DELETED_ONLY": Q(pk__in=()), "ALL": Q()}
# MLflow's words for a run's status, and ours.
READ_STATUSES = {
    "RUNNING": Status.RUNNING,
    "SCHEDULED": Status.QUEUED,
    "FINISHED": Status.COMPLETED,
    "FAILED": Status.FAILED,
    "KILLED": Status.CANCELED,
}
MOST_EXPERIMENTS = 1000
LONGEST_PARAM = 6000
# MLflow's limits of one batch (its client keeps them too), and the limit of all three together.
MOST_LOGGED, MOST_IN_ALL = {"metrics": 1000, "params": 100, "tags": 100}, 1000
COLUMN = {entities.RUN_NAME: "display_name", entities.NOTE: "description"}


class RunView(MlflowView):
    for_endpoint_tokens = for_run_tokens = True

    def runs(self):
        return visible.runs(self.actor).select_related("workspace")

    def run(self) -> Run:
        uuid = self.body.text("run_id") or self.body.text("run_uuid", required=True)
        return find(self.runs(), uuid, "Run with ID")

    def shown(self, run: Run) -> Response:
        fresh = self.runs().get(pk=run.pk)
        return Response({"run": entities.runs([fresh], self.base_url)[0]})


def changes_of(tags: dict[str, str]) -> dict:
    """Two of MLflow's tags are columns here: the run's name and its description."""
    columns: dict = {COLUMN[key]: tags[key] for key in COLUMN if key in tags}
    kept = {key: value for key, value in tags.items() if key not in {*COLUMN, entities.PARENT}}
    if len(columns.get("display_name", "")) > LONGEST:
        raise BadValue(f"A name has at most {LONGEST} characters.", target=entities.RUN_NAME)
    return {"tags": kept, **columns}


class MlflowRun(RunView):
    def get(self, request, **scope):
        return self.shown(self.run())


class MlflowRunCreate(RunView):
    def post(self, request, **scope):
        body, parent = self.body, None
        tags = pairs(body, "tags")
        if entities.PARENT in tags:
            parent = find(self.runs(), tags[entities.PARENT], "Run with ID")
        uuid = body.text("experiment_id", required=True)
        name = body.text("run_name", longest=LONGEST) or tags.pop(entities.RUN_NAME, "")
        run = services.make_child(
            self.actor,
            uuid=uuid4(),
            parent=parent,
            experiment=experiment_of(self.actor, uuid),
            status=Status.RUNNING,
            at=moment(body, "start_time"),
            **{"display_name": name[:LONGEST], **changes_of(tags)},
        )
        return self.shown(run)


class MlflowRunUpdate(RunView):
    def post(self, request, **scope):
        body = self.body
        changes: dict = {}
        run = self.run()
        if "run_name" in body:
            changes["display_name"] = body.text("run_name", longest=LONGEST)
        if "status" in body:
            changes |= {"status": read_status(body.text("status")), "at": moment(body, "end_time")}
        if run.is_terminal and changes.get("status") not in (None, run.status):
            services.edit(self.actor, run, status=Status.RUNNING)  # to end in another way
        services.edit(self.actor, run, **changes)
        fresh = self.runs().get(pk=run.pk)
        return Response({"run_info": entities.run_info(fresh, self.base_url)})


def moment(body: Body, key: str) -> datetime | None:
    number = whole(body, key)
    return None if number is None else moment_of(number, key)


def read_status(word: str) -> Status:
    number = dict(
        zip("12345", READ_STATUSES, strict=True)
    )  # numbers of the words in MLflow's protocol
    try:
        return READ_STATUSES[number.get(word, word)]
    except KeyError:
        raise BadValue(
            f"status must be one of {', '.join(READ_STATUSES)}, not {word!r:.80}.", target="status"
        ) from None


class MlflowRunDelete(RunView):
    """Refused: runs stay, because they are a pipeline's history."""

    def post(self, request, **scope):
        raise BadValue(
            f"Run {self.run().uuid} stays: runs cannot be deleted here. To hide runs, delete their"
            " experiment, which archives it.",
            target="run_id",
        )


class MlflowRunRestore(RunView):
    """Does nothing, because runs cannot be deleted."""

    def post(self, request, **scope):
        self.run()
        return Response({})


class MlflowRunSearch(RunView):
    def post(self, request, **scope):
        body = self.body
        uuids = body.items("experiment_ids")
        if len(uuids) > MOST_EXPERIMENTS:
            raise BadValue(
                f"experiment_ids may name {MOST_EXPERIMENTS} at most.", target="experiment_ids"
            )
        within = [experiment_of(self.actor, str(uuid)) for uuid in uuids]
        # To clients, the single step of a script's run is that run itself.
        rows = self.runs().exclude(script_runs.STEPS)
        rows = rows.filter(view_of(body, VIEWS), experiment__in=within)
        found, token = search.page(
            rows,
            search.RUNS.condition(body.text("filter")),
            search.RUNS.order(body.items("order_by")),
            after=page_after(body),
            size=page_size(body),
        )
        return Response({"runs": entities.runs(found, self.base_url), **token})


class MlflowModelSearch(RunView):
    """MLflow 3 looks for its own models beside a run's artifacts; there are none."""

    def post(self, request, **scope):
        Body(request.data)
        return Response({"models": []})


class LoggingView(RunView):
    def log(self, run: Run, *, metrics=(), params: dict | None = None, tags: dict | None = None):
        changes = changes_of(tags) if tags else {}
        services.log_batch(self.actor, run, metrics=metrics, params=params, **changes)
        return Response({})


class MlflowLogMetric(LoggingView):
    def post(self, request, **scope):
        return self.log(self.run(), metrics=[metric_of(self.body)])


class MlflowLogParam(LoggingView):
    def post(self, request, **scope):
        return self.log(self.run(), params=checked([self.body]))


class MlflowSetTag(LoggingView):
    def post(self, request, **scope):
        return self.log(self.run(), tags={self.body.name("key"): self.body.text("value")})


class MlflowDeleteTag(LoggingView):
    def post(self, request, **scope):
        run = self.run()
        key = self.body.name("key")
        gone = {"description": ""} if key == entities.NOTE else {"remove_tags": [key]}
        services.edit(self.actor, run, **gone)
        return Response({})


class MlflowLogBatch(LoggingView):
    def post(self, request, **scope):
        body = self.body
        bounded(body)
        metrics = [metric_of(Body(row, name="metrics")) for row in body.items("metrics")]
        params = checked([Body(row, name="params") for row in body.items("params")])
        return self.log(self.run(), metrics=metrics, params=params, tags=pairs(body, "tags"))


class MlflowLogBatchAsync(MlflowLogBatch):
    """The batch is stored before it is answered, so there is no tracking id to wait for."""

    def log(self, run, **what):
        super().log(run, **what)
        return Response({"batch_tracking_id": ""})


def bounded(body: Body) -> None:
    sent = {part: len(body.items(part)) for part in MOST_LOGGED}
    for part, most in MOST_LOGGED.items():
        if sent[part] > most:
            raise BadValue(
                f"A batch holds at most {most} {part}, not {sent[part]}.",
                target=part,
            )
    if (count := sum(sent.values())) > MOST_IN_ALL:
        raise BadValue(
            f"A batch holds at most {MOST_IN_ALL} metrics, params and tags together, not {count}.",
            target="metrics",
        )


def checked(rows: list[Body]) -> dict[str, str]:
    params: dict[str, str] = {}
    for row in rows:
        key, value = row.name("key"), row.text("value", longest=LONGEST_PARAM)
        if params.setdefault(key, value) != value:
            raise BadValue(f"Param {key!r:.80} is here twice, with two values.", target="params")
    return params


def metric_of(body: Body) -> dict:
    """The metric in the form in which `run.log` sends it."""
    name, value = body.name("key"), body.get("value")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number and value not in entities.SPECIAL:
        raise body.wrong("value", "a number")
    at, step = moment(body, "timestamp"), whole(body, "step")
    return {
        "name": name,
        "columns": {name: "double"},
        "properties": {"uxMetricType": "azureml.v1.scalar"},
        "points": [
            {"data": {name: value}, "step": step, "created_at": at.isoformat() if at else None}
        ],
    }


class MlflowMetricHistory(RunView):
    def get(self, request, **scope):
        run, name = self.run(), self.body.name("metric_key")
        rows = MetricValue.objects.filter(metric__run=run, metric__name=name)
        rows = rows.select_related("metric")
        found: Iterable[MetricValue] = rows
        token: dict[str, str] = {}
        if "max_results" in self.body:
            as_logged = [F("created_at").asc(), F("pk").asc()]
            found, token = search.page(
                rows, Q(), as_logged, after=page_after(self.body), size=page_size(self.body)
            )
        shown = [number for row in found if (number := entities.scalar(row))]
        return Response({"metrics": shown, **token})

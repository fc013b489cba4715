"""Schedules: create, read, list, replace (wire.md 11). `runs.schedules.scheduler` fires them."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from endpoints.models import EntityStatus
from endpoints.wire import catalogue
from endpoints.wire.fields import entity_status, version_number
from runs import schedules
from runs.models import Schedule, Trigger
from runs.wire import submission
from runs.wire.schedules import FIELD_NAMES, read_recurrence, schedule_entity
from studio.core.errors import BadValue
from studio.core.rest.bodies import LONGEST, Body, flag_of, kind_of
from studio.core.rest.schema import query
from studio.core.rest.views import WireView, find

# The client sends numbers and reads words (wire.md 3.6).
TRIGGERS = {
    "recurrence": Trigger.RECURRENCE,
    "0": Trigger.RECURRENCE,
    "datastore": Trigger.DATASTORE,
    "1": Trigger.DATASTORE,
}


class ScheduleView(WireView):
    field_names = FIELD_NAMES

    def schedules(self):
        rows = Schedule.objects.filter(workspace=self.actor.workspace)
        return rows.select_related("endpoint", "pipeline").defer("seen").order_by("-pk")

    def entity(self, schedule: Schedule) -> Response:
        return Response(schedule_entity(schedule))

    def entities(self, schedules) -> Response:
        return Response([schedule_entity(row) for row in schedules])


class CreateSchedule(ScheduleView):
    def post(self, request, **scope):
        body = Body(request.data)
        schedule = schedules.create_schedule(
            self.actor,
            name=body.name("Name"),
            settings=submission.read_stored(body),
            skips_while_running=body.flag("SkipsWhileRunning", False),
            **self.target(body),
            **trigger_of(body),
        )
        return self.entity(schedule)

    def target(self, body: Body) -> dict:
        target = {"version": pinned_version(body)}
        if "PipelineId" in body:
            pipelines = catalogue.pipelines(self.actor)
            target["pipeline"] = find(pipelines, body.text("PipelineId"), "Published pipeline")
        if "PipelineEndpointId" in body:
            endpoints = catalogue.endpoints(self.actor)
            target["endpoint"] = find(
                endpoints, body.text("PipelineEndpointId"), "Pipeline endpoint"
            )
        return target


class ScheduleList(ScheduleView):
    @extend_schema(parameters=[query("activeOnly")])
    def get(self, request, **scope):
        schedules = self.schedules()
        if flag_of(request.query_params, "activeOnly", True):
            schedules = schedules.filter(status=EntityStatus.ACTIVE)
        return self.entities(schedules)


class SchedulesOfPipeline(ScheduleView):
    def get(self, request, uuid, **scope):
        pipeline = find(catalogue.pipelines(self.actor), uuid, "Published pipeline")
        return self.entities(self.schedules().filter(pipeline=pipeline))


class SchedulesOfEndpoint(ScheduleView):
    def get(self, request, uuid, **scope):
        endpoint = find(catalogue.endpoints(self.actor), uuid, "Pipeline endpoint")
        return self.entities(self.schedules().filter(endpoint=endpoint))


class ScheduleDetail(ScheduleView):
    def get(self, request, uuid, **scope):
        return self.entity(find(self.schedules(), uuid, "Schedule"))

    def put(self, request, uuid, **scope):
        """Takes the whole entity with the client's changes. An old Etag is refused, so that no
        change of somebody else is lost."""
        schedule = find(self.schedules(), uuid, "Schedule")
        schedules.update_schedule(self.actor, schedule, **changes(Body(request.data), schedule))
        return self.entity(self.schedules().get(pk=schedule.pk))


def changes(body: Body, schedule: Schedule) -> dict:
    """The arguments of `update_schedule`; keys that the body lacks stay unchanged."""
    require_target(body, schedule)
    changes = {
        "etag": body.text("Etag") or None,
        "skips_while_running": body.flag("SkipsWhileRunning"),
        **trigger_of(body, schedule),
    }
    if "Name" in body:
        changes["name"] = body.name("Name")
    if "PipelineSubmissionInfo" in body:
        changes["settings"] = submission.read_stored(body)
    if "EntityStatus" in body:
        changes["status"] = entity_status(body.get("EntityStatus"))
    if "PipelineEndpointVersion" in body:
        changes["version"] = pinned_version(body)
    return changes


def require_target(body: Body, schedule: Schedule) -> None:
    for key, target in (
        ("PipelineId", schedule.pipeline),
        ("PipelineEndpointId", schedule.endpoint),
    ):
        if key in body and (target is None or body.text(key).lower() != str(target.uuid)):
            raise BadValue("A schedule keeps its target: create another one.", target=key)


def pinned_version(body: Body) -> int | None:
    if "PipelineEndpointVersion" not in body:
        return None
    return version_number(body.get("PipelineEndpointVersion"), key="PipelineEndpointVersion")


def trigger_of(body: Body, schedule: Schedule | None = None) -> dict:
    """The recurrence or datastore trigger, as `ScheduleType` says, else whichever is there."""
    given = {
        Trigger.RECURRENCE: "Recurrence" in body,
        Trigger.DATASTORE: "DataStoreTriggerInfo" in body,
    }
    kind = trigger_kind(body)
    if kind is not None and schedule is not None and kind != schedule.trigger:
        raise BadValue("A schedule keeps its kind: create another one.", target="ScheduleType")
    if kind is not None and schedule is None and not given[kind]:
        key = "Recurrence" if kind is Trigger.RECURRENCE else "DataStoreTriggerInfo"
        raise BadValue(f"{key} is required.", target=key)
    found: dict = {}
    if given[Trigger.RECURRENCE] and kind is not Trigger.DATASTORE:
        found["recurrence"] = read_recurrence(body.mapping("Recurrence"))
    if given[Trigger.DATASTORE] and kind is not Trigger.RECURRENCE:
        found["watch"] = watch_of(body, schedule)
    return found


def trigger_kind(body: Body) -> Trigger | None:
    if "ScheduleType" not in body:
        return None
    word = body.get("ScheduleType")
    kind = TRIGGERS.get(str(word).lower()) if isinstance(word, str | int) else None
    if kind is None:
        raise BadValue(
            f'ScheduleType must be "Recurrence" or "DataStore", not {kind_of(word)}.',
            target="ScheduleType",
        )
    return kind


def watch_of(body: Body, schedule: Schedule | None) -> schedules.Watch:
    """The datastore trigger. Our own switches keep their value if the client does not send them."""
    info = Body(body.mapping("DataStoreTriggerInfo"), name="DataStoreTriggerInfo")
    before = schedules.Watch.of(schedule) if schedule else schedules.Watch("")
    return schedules.Watch(
        datastore=info.text("DataStoreName", required=True, longest=LONGEST),
        path=info.text("PathOnDataStore").strip("/"),
        polling_minutes=whole_number(info, "PollingInterval", before.polling_minutes),
        datapath_parameter=info.text("DataPathParameterName", longest=LONGEST),
        includes_subfolders=info.flag("IncludesSubfolders", before.includes_subfolders),
        one_run_per_batch=info.flag("OneRunPerBatch", before.one_run_per_batch),
    )


def whole_number(body: Body, key: str, default: int) -> int:
    text = body.text(key, str(default)).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadValue(f"{key} must be a whole number, not {kind_of(body.get(key))}.", target=key)
    return int(text)

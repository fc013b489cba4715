"""Schedules: create, read, list, replace (wire.md 11). `runs.schedules.scheduler` fires them."""

from dataclasses import replace

from rest_framework.response import Response

from endpoints.models import EntityStatus
from endpoints.wire import catalogue
from runs import schedules
from runs.models import Schedule, Trigger
from runs.wire.entity_types import ScheduleEntity
from runs.wire.schedules import FIELD_NAMES, ChangedSchedule, NewSchedule, schedule_entity
from studio.core.errors import BadValue
from studio.core.rest.bodies import Body, flag_of
from studio.core.rest.schema import ACTIVE_ONLY, documented
from studio.core.rest.views import WireView, find

TRIGGERS = {
    Trigger.RECURRENCE: ("recurrence", "Recurrence"),
    Trigger.DATASTORE: ("watch", "DataStoreTriggerInfo"),
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
    @documented(takes=NewSchedule, gives=ScheduleEntity)
    def post(self, request, **scope):
        given = NewSchedule.read(Body(request.data))
        if "kind" in given:
            require_trigger(given.pop("kind"), given)
        if "pipeline" in given:
            pipelines = catalogue.pipelines(self.actor)
            given["pipeline"] = find(pipelines, given["pipeline"], "Published pipeline")
        if "endpoint" in given:
            endpoints = catalogue.endpoints(self.actor)
            given["endpoint"] = find(endpoints, given["endpoint"], "Pipeline endpoint")
        if given.get("watch"):
            given["watch"] = schedules.Watch(**given["watch"])
        return self.entity(schedules.create_schedule(self.actor, **given))


class ScheduleList(ScheduleView):
    @documented(gives=list[ScheduleEntity], parameters=[ACTIVE_ONLY])
    def get(self, request, **scope):
        schedules = self.schedules()
        if flag_of(request.query_params, "activeOnly", True):
            schedules = schedules.filter(status=EntityStatus.ACTIVE)
        return self.entities(schedules)


class SchedulesOfPipeline(ScheduleView):
    @documented(gives=list[ScheduleEntity])
    def get(self, request, uuid, **scope):
        pipeline = find(catalogue.pipelines(self.actor), uuid, "Published pipeline")
        return self.entities(self.schedules().filter(pipeline=pipeline))


class SchedulesOfEndpoint(ScheduleView):
    @documented(gives=list[ScheduleEntity])
    def get(self, request, uuid, **scope):
        endpoint = find(catalogue.endpoints(self.actor), uuid, "Pipeline endpoint")
        return self.entities(self.schedules().filter(endpoint=endpoint))


class ScheduleDetail(ScheduleView):
    @documented(gives=ScheduleEntity)
    def get(self, request, uuid, **scope):
        return self.entity(find(self.schedules(), uuid, "Schedule"))

    @documented(takes=ChangedSchedule, gives=ScheduleEntity)
    def put(self, request, uuid, **scope):
        """Takes the whole entity with the client's changes. An old Etag is refused, so that no
        change of somebody else is lost."""
        schedule = find(self.schedules(), uuid, "Schedule")
        schedules.update_schedule(self.actor, schedule, **changes(Body(request.data), schedule))
        return self.entity(self.schedules().get(pk=schedule.pk))


def changes(body: Body, schedule: Schedule) -> dict:
    """The arguments of `update_schedule`."""
    given = ChangedSchedule.read(body)
    require_same("PipelineId", given.pop("pipeline", None), schedule.pipeline)
    require_same("PipelineEndpointId", given.pop("endpoint", None), schedule.endpoint)
    if given.pop("kind", schedule.trigger) != schedule.trigger:
        raise BadValue("A schedule keeps its kind: create another one.", target="ScheduleType")
    given["etag"] = given.get("etag") or None
    if given.get("watch"):
        # Our own switches keep their value if the client does not send them.
        given["watch"] = replace(schedules.Watch.of(schedule), **given["watch"])
    return given


def require_same(key: str, uuid: str | None, target) -> None:
    if uuid is not None and (target is None or uuid.lower() != str(target.uuid)):
        raise BadValue("A schedule keeps its target: create another one.", target=key)


def require_trigger(kind: Trigger, given: dict) -> None:
    """What `ScheduleType` says must be there."""
    name, key = TRIGGERS[kind]
    if given.get(name) is None:
        raise BadValue(f"{key} is required.", target=key)

"""Creating, changing, switching and deleting schedules. `runs.schedules.scheduler` fires them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from endpoints import blueprints, data
from endpoints.models import EntityStatus, PipelineEndpoint, PublishedPipeline
from endpoints.parameters import Kind, datapath
from endpoints.services import checks
from runs.models import Schedule, Trigger
from runs.recurrence import BadRecurrence, Recurrence
from runs.submission import RunSettings
from runs.submission.check import examine
from runs.submission.submit import check_remarks
from runs.submission.target import EndpointTarget, PipelineTarget, Published
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.revisable import require_current, stamp

MOST_POLLING_MINUTES = 60 * 24 * 31
GRAPHS = ("endpoint__default_version__pipeline__graph", "pipeline__graph")
LARGE = tuple(f"{graph}__{column}" for graph in GRAPHS for column in ("wire", "interface"))


@dataclass(frozen=True)
class Watch:
    """A datastore trigger: which files, how often, and what happens when they change."""

    datastore: str
    path: str = ""
    polling_minutes: int = 5
    datapath_parameter: str = ""
    includes_subfolders: bool = False
    one_run_per_batch: bool = True

    @classmethod
    def of(cls, schedule: Schedule) -> "Watch":
        return cls(
            datastore=schedule.datastore_name,
            path=schedule.path,
            polling_minutes=schedule.polling_minutes,
            datapath_parameter=schedule.datapath_parameter,
            includes_subfolders=schedule.includes_subfolders,
            one_run_per_batch=schedule.one_run_per_batch,
        )


def create_schedule(
    actor: Actor,
    *,
    name: str,
    settings: RunSettings,
    endpoint: PipelineEndpoint | None = None,
    version: int | None = None,
    pipeline: PublishedPipeline | None = None,
    recurrence: Mapping[str, Any] | None = None,
    watch: Watch | None = None,
    skips_while_running: bool = False,
    strict: bool = False,
) -> Schedule:
    """Create a schedule for `endpoint` (its default, unless a `version` is pinned) or for
    `pipeline`. It fires by a `recurrence`, or when the files change that it is to `watch`. `strict`
    refuses doubtful values, as a strict endpoint does; its runs are as strict as their endpoint."""
    if (endpoint is None) == (pipeline is None):
        raise ValidationError({"pipeline": ["Give either a pipeline or an endpoint."]})
    if (recurrence is None) == (watch is None):
        raise ValidationError({"trigger": ["Give either a recurrence or a data change."]})
    require(actor, "publish", endpoint or pipeline)
    now = timezone.now()
    schedule = Schedule(
        workspace=actor.workspace,
        endpoint=endpoint,
        endpoint_version=version,
        pipeline=pipeline,
        skips_while_running=skips_while_running,
        created_at=now,
        created_by=actor.name,
    )
    _set_name(schedule, name)
    if watch is not None:
        _set_watch(actor, schedule, watch)
        schedule.next_at = now
    elif recurrence is not None:
        _set_recurrence(schedule, recurrence, now)
        if not schedule.rule.is_given_start:
            schedule.next_at = now  # v1: without a StartTime the first run is at once
    _set_settings(actor, schedule, settings, strict=strict)
    with transaction.atomic():
        stamp(actor, schedule)
        schedule.save()
        audit.record(actor, "create", schedule, after=_audited(schedule))
    return schedule


def update_schedule(
    actor: Actor,
    schedule: Schedule,
    *,
    etag: str | None = None,
    name: str | None = None,
    settings: RunSettings | None = None,
    version: int | str | None = "",
    recurrence: Mapping[str, Any] | None = None,
    watch: Watch | None = None,
    skips_while_running: bool | None = None,
    status: str | None = None,
    strict: bool = False,
) -> Schedule:
    """Change what is given; a text as `version` leaves the pinned one. The target of a disabled
    schedule is checked only if `strict`, so that disabling always succeeds."""
    require(actor, "edit", schedule)
    now = timezone.now()
    with transaction.atomic():
        current = with_targets(Schedule.objects.select_for_update(of=("self",))).get(pk=schedule.pk)
        require_current(current, etag)
        before, stored = _audited(current), current.settings
        was_active = current.is_active
        if name is not None:
            _set_name(current, name)
        if skips_while_running is not None:
            current.skips_while_running = skips_while_running
        if not isinstance(version, str):
            current.endpoint_version = version
        if recurrence is not None:
            _change_recurrence(current, recurrence, now)
        if watch is not None:
            _change_watch(actor, current, watch, now)
        if status is not None:
            current.status = _status(status)
        _set_settings(actor, current, settings, strict=strict)
        _set_next_time(current, was_active, now)
        after = _audited(current)
        if after != before or current.settings != stored:
            stamp(actor, current)
            current.save()
            verb = "edit"
            if current.is_active != was_active:
                verb = "enable" if current.is_active else "disable"
            audit.record(
                actor,
                verb,
                current,
                before={key: value for key, value in before.items() if after[key] != value},
                after={key: value for key, value in after.items() if before[key] != value},
            )
    schedule.__dict__.pop("rule", None)
    schedule.refresh_from_db()
    return schedule


def disable_schedule(actor: Actor, schedule: Schedule) -> None:
    update_schedule(actor, schedule, status=EntityStatus.DISABLED)


def enable_schedule(actor: Actor, schedule: Schedule) -> Schedule:
    return update_schedule(actor, schedule, status=EntityStatus.ACTIVE)


def delete_schedule(actor: Actor, schedule: Schedule) -> None:
    """Stop and delete it with its ticks; its runs stay."""
    require(actor, "edit", schedule)
    with transaction.atomic():
        disable_schedule(actor, schedule)
        audit.record(actor, "delete", schedule, before=_audited(schedule))
        schedule.delete()


def with_targets(schedules: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """Schedules with what `submit` needs of their targets, in one query."""
    return schedules.select_related(
        "workspace", "endpoint__default_version__pipeline__graph", "pipeline__graph"
    ).defer(*LARGE)


# --- parts ----------------------------------------------------------------------------------------
def _set_name(schedule: Schedule, name: str) -> None:
    schedule.name = checks.text("name", name, longest=255, required=True)


def _status(status: str) -> str:
    if status not in EntityStatus.values:
        raise ValidationError({"status": [f"{status!r:.40} is not a status of schedules."]})
    return str(status)


def _set_recurrence(schedule: Schedule, recurrence: Mapping[str, Any], now: datetime) -> None:
    try:
        rule = Recurrence.parse(recurrence, created_at=now)
    except BadRecurrence as error:
        raise ValidationError({error.field: [str(error)]}) from error
    schedule.trigger = Trigger.RECURRENCE
    schedule.recurrence = rule.as_json()
    schedule.time_zone = rule.time_zone
    schedule.starts_at = rule.starts_at
    schedule.__dict__.pop("rule", None)
    schedule.next_at = rule.next_after(now)
    if schedule.next_at is None:
        raise ValidationError({"interval": ["The schedule would never fire."]})


def _change_recurrence(schedule: Schedule, recurrence: Mapping[str, Any], now: datetime) -> None:
    """Apply a recurrence. Clients send back the one that they read: then the schedule keeps its
    rhythm."""
    if not schedule.is_recurrence:
        raise ValidationError({"trigger": ["This schedule watches a datastore."]})
    since = schedule.starts_at or schedule.created_at
    trial = Schedule(starts_at=since)
    _set_recurrence(trial, recurrence, since)
    if _comparable(trial.rule) != _comparable(schedule.rule):
        _set_recurrence(schedule, recurrence, now)


def _comparable(rule: Recurrence) -> Recurrence:
    # Zones with other names are shown to the SDK by their Windows names.
    return replace(rule, time_zone=rule.zone.key)


def _set_watch(actor: Actor, schedule: Schedule, watch: Watch) -> None:
    if not 1 <= watch.polling_minutes <= MOST_POLLING_MINUTES:
        text = f"The polling interval must be from 1 to {MOST_POLLING_MINUTES} minutes."
        raise ValidationError({"polling_minutes": [text]})
    location = data.locate(actor.workspace, watch.datastore, watch.path)
    schedule.trigger = Trigger.DATASTORE
    schedule.datastore_name, schedule.path = location.datastore, location.path
    schedule.polling_minutes = watch.polling_minutes
    schedule.datapath_parameter = watch.datapath_parameter
    schedule.includes_subfolders = watch.includes_subfolders
    schedule.one_run_per_batch = watch.one_run_per_batch


def _change_watch(actor: Actor, schedule: Schedule, watch: Watch, now: datetime) -> None:
    if schedule.is_recurrence:
        raise ValidationError({"trigger": ["This schedule follows a recurrence."]})
    before = Watch.of(schedule)
    _set_watch(actor, schedule, watch)
    after = Watch.of(schedule)
    if after != before:
        schedule.next_at = now
    places = ("datastore", "path", "includes_subfolders")
    if any(getattr(before, key) != getattr(after, key) for key in places):
        schedule.seen = None


def _set_settings(
    actor: Actor, schedule: Schedule, settings: RunSettings | None, *, strict: bool
) -> None:
    """Store new settings, or check the stored ones. Refuses settings with which the target cannot run."""
    stored = RunSettings.from_json(schedule.settings)
    settings = stored if settings is None else settings.to_store(stored)
    if schedule.pipeline and schedule.endpoint_version is not None:
        raise ValidationError(
            {"endpoint_version": ["Only a pipeline endpoint has versions to pin."]}
        )
    found = target_of(schedule).find()
    blueprint = blueprints.load(found.graph.uuid)
    if schedule.is_active or strict:
        check_remarks(found, settings.remarks)
        _check_parameter(schedule, blueprint)
        at_place = settings_at(schedule, settings.opened(), schedule.path)
        examine(actor, found, at_place, strict=strict)
    schedule.description = settings.description
    schedule.settings = settings.sealed(blueprint.secret_names).as_json()


def target_of(schedule: Schedule) -> Published:
    if schedule.endpoint is not None:
        return EndpointTarget(schedule.endpoint, schedule.endpoint_version)
    return PipelineTarget(schedule.pipeline)  # type: ignore[arg-type]  # it has one of both


def settings_at(schedule: Schedule, settings: RunSettings, path: str) -> RunSettings:
    """The settings with the changed path for the parameter that gets it, if there is one."""
    if not schedule.datapath_parameter:
        return settings
    place = datapath(schedule.datastore_name, path)
    datapaths = {**(settings.datapaths or {}), schedule.datapath_parameter: place}
    return replace(settings, datapaths=datapaths)


def _check_parameter(schedule: Schedule, blueprint: blueprints.Blueprint) -> None:
    wanted = schedule.datapath_parameter
    if wanted and getattr(blueprint.parameters.get(wanted), "kind", None) is not Kind.DATAPATH:
        text = _("%(target)s has no data path parameter %(name)s.")
        text %= {"target": schedule.target, "name": wanted[:100]}
        raise ValidationError({"datapath_parameter": [text]})


def _set_next_time(schedule: Schedule, was_active: bool, now: datetime) -> None:
    """A disabled schedule is never due. When it is enabled again it continues from now, without
    making up for missed ticks."""
    if not schedule.is_active:
        schedule.next_at = None
    elif not was_active:
        schedule.seen = None
        schedule.next_at = schedule.rule.next_after(now) if schedule.is_recurrence else now


AUDITED = (
    *("name", "trigger", "recurrence", "endpoint_version", "datastore_name", "path"),
    *("polling_minutes", "datapath_parameter", "includes_subfolders", "one_run_per_batch"),
    *("skips_while_running", "status"),
)


def _audited(schedule: Schedule) -> dict[str, Any]:
    return {key: getattr(schedule, key) for key in AUDITED} | {
        "target": str(schedule.target),
        "settings": RunSettings.from_json(schedule.settings).masked().as_json(),
    }

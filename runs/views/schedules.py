"""Schedules: the list, a schedule with its past and future ticks, and its form."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from endpoints import blueprints
from endpoints.models import EntityStatus, PipelineEndpoint, PublishedPipeline
from runs import schedules
from runs.forms.schedules import ScheduleForm, initial_of
from runs.models import Schedule, ScheduleTick
from runs.parts.definitions import find_endpoint, find_pipeline, offered_versions, reader
from runs.parts.timetable import page_of, schedules_of
from runs.recurrence import BadRecurrence, Recurrence
from runs.schedules import scheduler
from runs.submission import RunSettings
from runs.views.submit import experiments_of, suggestion
from studio.core.access import require
from studio.core.db.keyset import paginate
from studio.core.errors import Refused
from studio.core.ui.decorators import triggers
from studio.core.ui.dialogs import ask
from studio.core.ui.forms import attempt, attempt_verb
from studio.core.ui.paging import place

UPCOMING = 10
TARGETS_OFFERED = 200


def find_schedule(request, uuid) -> Schedule:
    return get_object_or_404(schedules_of(request), uuid=uuid)


@require_safe
def schedule_list(request):
    rows = schedules_of(request)
    disabled = rows.filter(status=EntityStatus.DISABLED).count()
    shows_disabled = "include_disabled" in request.GET
    if not shows_disabled:
        rows = rows.filter(status=EntityStatus.ACTIVE)
    query = request.GET.get("q", "").replace("\0", "").strip()
    if query:
        rows = rows.searched(query)
    context = {
        "nav": "pipelines",
        "page": page_of(request, rows),
        "query": query,
        "shows_disabled": shows_disabled,
        "disabled_count": disabled,
    }
    return render(request, "runs/schedule_list.html", context)


@require_safe
def schedule_detail(request, uuid):
    schedule = get_object_or_404(
        Schedule.objects.select_related("workspace", "endpoint", "pipeline").defer("seen"),
        workspace=reader(request).workspace,
        uuid=uuid,
    )
    at = place(request.GET)
    ticks = ScheduleTick.objects.filter(schedule=schedule).select_related("run")
    context = {
        "nav": "pipelines",
        "schedule": schedule,
        "settings": RunSettings.from_json(schedule.settings).masked(),
        "upcoming": _upcoming(schedule),
        "page": paginate(ticks, **at),
    }
    return render(request, "runs/schedule_detail.html", context)


def _upcoming(schedule: Schedule) -> list:
    """The next fire times. `next_at` comes first: a due tick may not have been acted on yet."""
    if not schedule.is_recurrence or schedule.next_at is None:
        return []
    first = schedule.next_at
    return [first, *schedule.rule.upcoming(max(first, timezone.now()), UPCOMING - 1)]


# --- the form -------------------------------------------------------------------------------------
@require_http_methods(["GET", "POST"])
def schedule_new(request):
    """First choose the target, by a link with its id, then everything else."""
    require(reader(request), "publish")
    target = _asked_target(request)
    if target is None:
        return _choose(request)
    start = {"name": target.name, **suggestion(target.name, experiments_of(request.actor))}
    form = _form(request, target, None, initial=start)
    if request.method == "POST" and form.is_valid() and "preview" not in request.POST:
        pinned: dict = {"version": _pinned(form)} if isinstance(target, PipelineEndpoint) else {}
        made = attempt(
            request,
            form,
            lambda: schedules.create_schedule(
                request.actor, **_as_argument(target), **pinned, **form.arguments()
            ),
        )
        if made is not None:
            messages.success(request, _("Schedule %(name)s is created.") % {"name": made.name})
            return redirect(made)
    title = _("New schedule: %(name)s") % {"name": target.name}
    return _page(request, form, target=target, title=title, back=_tab_of(target))


@require_http_methods(["GET", "POST"])
def schedule_edit(request, uuid):
    schedule = get_object_or_404(
        Schedule.objects.select_related(
            "workspace", "endpoint__default_version__pipeline__graph", "pipeline__graph"
        ),
        workspace=reader(request).workspace,
        uuid=uuid,
    )
    require(request.actor, "edit", schedule)
    settings = RunSettings.from_json(schedule.settings).masked()
    start = initial_of(schedule, settings) | {"etag": schedule.etag}
    form = _form(request, schedule.target, schedule, values=settings.values, initial=start)
    if request.method == "POST" and form.is_valid() and "preview" not in request.POST:
        changes = form.arguments() | {"etag": request.POST.get("etag") or None}
        if schedule.endpoint is not None:
            changes["version"] = _pinned(form)
        done = attempt(
            request,
            form,
            lambda: schedules.update_schedule(request.actor, schedule, **changes),
        )
        if done is not None:
            messages.success(request, _("Schedule %(name)s is changed.") % {"name": done.name})
            return redirect(done)
    title = _("Edit schedule: %(name)s") % {"name": schedule.name}
    return _page(
        request,
        form,
        target=schedule.target,
        title=title,
        back=schedule.get_absolute_url(),
        etag=request.POST.get("etag") or schedule.etag,
        schedule=schedule,
    )


def _asked_target(request) -> PipelineEndpoint | PublishedPipeline | None:
    kind, _sign, uuid = request.GET.get("target", "").partition(":")
    finders: dict[str, Callable] = {"endpoint": find_endpoint, "pipeline": find_pipeline}
    find = finders.get(kind)
    if find is None:
        return None
    try:
        return find(request, uuid)
    except ValidationError as error:  # not a UUID
        raise Http404 from error


def _tab_of(target) -> str:
    kind = "endpoint" if isinstance(target, PipelineEndpoint) else "pipeline"
    return reverse(f"endpoints:{kind}-schedules", args=[target.uuid])


def _choose(request):
    workspace = request.actor.workspace
    endpoints = PipelineEndpoint.objects.filter(workspace=workspace, status=EntityStatus.ACTIVE)
    pipelines = PublishedPipeline.objects.filter(workspace=workspace, status=EntityStatus.ACTIVE)
    endpoints = endpoints.order_by("name").only("uuid", "name")[:TARGETS_OFFERED]
    pipelines = pipelines.order_by("-pk").only("uuid", "name", "created_at")[:TARGETS_OFFERED]
    context = {"nav": "pipelines", "endpoints": list(endpoints), "pipelines": list(pipelines)}
    return render(request, "runs/schedule_new.html", context)


def _as_argument(target) -> dict:
    return {"endpoint" if isinstance(target, PipelineEndpoint) else "pipeline": target}


def _form(request, target, schedule: Schedule | None, *, initial: dict, values=None):
    pinned = schedule.endpoint_version if schedule else None
    pipeline, offered = _offered(target, "" if pinned is None else str(pinned))
    # The experiment of a schedule that has not fired yet need not exist.
    own = initial["experiment"] if initial.get("experiment") else None
    experiments = [name for name in experiments_of(request.actor) if name != own]
    return ScheduleForm(
        request.POST if request.method == "POST" else None,
        workspace=request.actor.workspace,
        parameters=blueprints.load(pipeline.graph.uuid).parameters,
        experiments=[own, *experiments] if own else experiments,
        schedule=schedule,
        versions=offered,
        values=values,
        initial={
            "continue_on_step_failure": pipeline.continue_on_step_failure,
            "version": "" if pinned is None else str(pinned),
            **{key: value for key, value in initial.items() if value is not None},
        },
    )


def _offered(target, pinned: str) -> tuple[PublishedPipeline, list[int]]:
    """The pipeline whose parameters the form shows, and the versions that it offers."""
    if isinstance(target, PublishedPipeline):
        return target, []
    offered, shown = offered_versions(target, pinned)
    if shown is None:
        raise Refused(_("Pipeline endpoint %(name)s has no versions yet.") % {"name": target})
    return shown.pipeline, [row.number for row in offered]


def _pinned(form: ScheduleForm) -> int | None:
    chosen = form.cleaned_data.get("version")
    return int(chosen) if chosen else None


def _page(request, form: ScheduleForm, *, schedule: Schedule | None = None, **context):
    context |= {
        "nav": "pipelines",
        "form": form,
        "schedule": schedule,
        "upcoming": _preview(form, is_new=schedule is None),
    }
    return render(request, "runs/schedule_form.html", context)


def _preview(form: ScheduleForm, *, is_new: bool) -> list:
    """The first fire times of the form's values, as far as they are valid."""
    if not form.is_bound or form.errors or form.cleaned_data["trigger"] != "Recurrence":
        return []
    now = timezone.now()
    try:
        rule = Recurrence.parse(form.recurrence(), created_at=now)
    except BadRecurrence:
        return []
    at_once = [now] if is_new and not rule.is_given_start else []
    return [*at_once, *rule.upcoming(now, UPCOMING - len(at_once))]


# --- verbs ----------------------------------------------------------------------------------------
@require_POST
def schedule_disable(request, uuid):
    schedule = find_schedule(request, uuid)
    schedules.disable_schedule(request.actor, schedule)
    messages.warning(
        request, _("Schedule %(name)s is disabled and will not fire.") % {"name": schedule.name}
    )
    return redirect(schedule)


@require_POST
def schedule_enable(request, uuid):
    schedule = find_schedule(request, uuid)
    if attempt_verb(request, lambda: schedules.enable_schedule(request.actor, schedule)):
        messages.success(request, _("Schedule %(name)s is enabled.") % {"name": schedule.name})
    return redirect(schedule)


@triggers("Schedule")
@require_POST
def schedule_run(request, uuid):
    schedule = find_schedule(request, uuid)
    run = attempt_verb(request, lambda: scheduler.run_now(request.actor, schedule))
    if run is not None:
        link = format_html('<a href="{}">{}</a>', run.get_absolute_url(), run)
        messages.success(request, format_html(_("Run {run} is submitted."), run=link))
    return redirect(schedule)


@require_http_methods(["GET", "POST"])
def schedule_delete(request, uuid):
    schedule = find_schedule(request, uuid)
    require(request.actor, "edit", schedule)
    if request.method == "POST":
        schedules.delete_schedule(request.actor, schedule)
        messages.success(request, _("Schedule %(name)s is deleted.") % {"name": schedule.name})
        return redirect("runs:schedule-list")
    return ask(
        request,
        nav="pipelines",
        title=_("Delete %(name)s?") % {"name": schedule.name},
        text=_("It will not fire again, and its tick log is deleted. Its runs stay."),
        submit=_("Delete"),
        cancel_url=schedule.get_absolute_url(),
        parent=schedule.name,
    )

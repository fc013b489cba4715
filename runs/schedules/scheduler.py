"""Fires schedules that are due: each leaves a ScheduleTick and perhaps a run, made by `submit`.

`tick` may be called at any time and in several processes at once. A tick and its effect are one
transaction, which first clears the schedule's `next_at`, so that only one process can fire it. If
the process dies in the middle, the schedule is still due.
"""

import logging
import posixpath
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction
from django.utils import timezone

from endpoints import data
from endpoints.models import EntityStatus
from runs.models import Run, Schedule, ScheduleTick, Source, TickOutcome
from runs.schedules.edit import settings_at, target_of, with_targets
from runs.submission import RunSettings, Submission, submit
from studio.core import access, audit
from studio.core import file_names as names
from studio.core.access import Actor, require
from studio.core.db.transactions import write_transaction
from studio.core.errors import Disabled, Refused, text_of

AT_ONCE = 100  # schedules per call; the others stay due
MOST_FILES = 10_000  # most files of a watched folder
MOST_RUNS = 100  # per poll, if each changed file gets its own run; others wait for the next poll
MOST_MISSED = 1000  # missed ticks are counted up to this
LATE = timedelta(minutes=1)
NAMED = 10  # changed files named in a reason

logger = logging.getLogger(__name__)


def tick(now: datetime | None = None) -> None:
    now = now or timezone.now()
    due = Schedule.objects.filter(next_at__lte=now).order_by("next_at")
    for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]):
        try:
            _look(pk, now)
        except OperationalError:
            logger.warning("schedule %s has to wait for the database", pk, exc_info=True)
        except Exception:
            logger.exception("schedule %s could not be looked at", pk)


def run_now(actor: Actor, schedule: Schedule) -> Run:
    """Start a run by hand, as a tick would. It is in the tick log and does not change the
    schedule."""
    require(actor, "submit", schedule)
    now = timezone.now()
    with transaction.atomic():
        rows = with_targets(Schedule.objects.select_for_update(of=("self",)))
        schedule = rows.get(pk=schedule.pk)
        if not schedule.is_active:
            raise Disabled(f"Schedule {schedule.name} is disabled.")
        run = _submit(actor, schedule, now, schedule.path)
        ScheduleTick.objects.create(
            schedule=schedule,
            due_at=now,
            outcome=TickOutcome.FIRED,
            reason=f"Run now, by {actor.name}.",
            run=run,
        )
    return run


def _look(pk: int, now: datetime) -> None:
    schedule = with_targets(Schedule.objects.filter(next_at__lte=now)).filter(pk=pk).first()
    if schedule is None or schedule.next_at is None:
        return
    if schedule.is_recurrence:
        _recur(schedule, schedule.next_at, now)
    else:
        _poll(schedule, schedule.next_at, now)


# --- recurrences ----------------------------------------------------------------------------------
def _recur(schedule: Schedule, due_at: datetime, now: datetime) -> None:
    following = schedule.rule.next_after(now)
    with write_transaction():
        if _claimed(schedule, following):
            _fire(schedule, due_at, reason=_lateness(schedule, due_at, now))


def _lateness(schedule: Schedule, due_at: datetime, now: datetime) -> str:
    """What to say about a tick that is long overdue: it stands for all that were due meanwhile."""
    if now - due_at < LATE:
        return ""
    later = islice(schedule.rule.times_after(due_at), MOST_MISSED)
    missed = sum(moment <= now for moment in later)
    late = f"Late by {_span(now - due_at)}."
    if not missed:
        return late
    count = f"at least {missed}" if missed == MOST_MISSED else str(missed)
    return f"{late} It replaces {count} more that were missed."


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


# --- datastores -----------------------------------------------------------------------------------
def _poll(schedule: Schedule, due_at: datetime, now: datetime) -> None:
    following = now + timedelta(minutes=schedule.polling_minutes)
    try:
        found = _listed(schedule)
    except Exception as error:  # noqa: BLE001 - whatever a remote store's client may raise
        with write_transaction():
            if _claimed(schedule, following, polled_at=now):
                _record(schedule, due_at, TickOutcome.FAILED, _text_of(error))
        return
    seen = found if schedule.seen is None else schedule.seen
    changed = sorted(path for path, version in found.items() if seen.get(path) != version)
    if changed and _still_running(schedule):
        # The files are not marked as seen, so the next poll finds these changes again.
        with write_transaction():
            if _claimed(schedule, following, polled_at=now):
                _record(schedule, due_at, TickOutcome.SKIPPED, STILL_RUNNING)
        return
    batches = [changed] if schedule.one_run_per_batch else [[path] for path in changed]
    for path in changed[MOST_RUNS:] if not schedule.one_run_per_batch else ():
        found[path] = seen.get(path, "")
    with write_transaction():
        if _claimed(schedule, following, polled_at=now, seen=found):
            for number, batch in enumerate(filter(None, batches[:MOST_RUNS])):
                # Each tick needs a time of its own in the log.
                at = due_at + timedelta(microseconds=number)
                _fire(schedule, at, reason=_changes(batch), path=_common(batch))


def _listed(schedule: Schedule) -> dict[str, str]:
    """`{path: version}` of the watched files; a version changes with size, time or content."""
    location = data.locate(schedule.workspace, schedule.datastore_name, schedule.path)
    files = location.files(recursive=schedule.includes_subfolders)
    # A name that is not UTF-8 cannot be passed to a run.
    named = (entry for entry in files if names.is_text(entry.path))
    found = {
        entry.path: entry.state.version for entry in islice(named, MOST_FILES + 1) if entry.state
    }
    if len(found) > MOST_FILES:
        raise Refused(f"{location} holds more than {MOST_FILES} files: watch a smaller folder.")
    return found


def _changes(paths: list[str]) -> str:
    names = ", ".join(paths[:NAMED])
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return f"New or changed: {names}{more}."


def _common(paths: list[str]) -> str:
    """The file that changed, or the folder that contains all that did."""
    if len(paths) == 1:
        return paths[0]
    return posixpath.commonpath([posixpath.dirname(path) for path in paths])


# --- both -----------------------------------------------------------------------------------------
STILL_RUNNING = "Its last run is still running."


def _claimed(schedule: Schedule, following: datetime | None, **changes: Any) -> bool:
    """True for the one process that may act on the time for which the schedule is due."""
    as_read = Schedule.objects.filter(
        pk=schedule.pk, next_at=schedule.next_at, status=EntityStatus.ACTIVE, etag=schedule.etag
    )
    return bool(as_read.update(next_at=following, **changes))


def _fire(schedule: Schedule, due_at: datetime, *, reason: str = "", path: str = "") -> None:
    if schedule.is_recurrence and _still_running(schedule):
        _record(schedule, due_at, TickOutcome.SKIPPED, STILL_RUNNING)
        return
    actor = access.system_actor(schedule.workspace, schedule.created_by or "studio")
    try:
        with transaction.atomic():
            run = _submit(actor, schedule, due_at, path)
    except Disabled as error:
        audit.refuse_for(actor, error, kind="Schedule", uuid=schedule.uuid)
        _record(schedule, due_at, TickOutcome.SKIPPED, _text_of(error))
    except OperationalError:
        raise
    except Exception as error:
        if isinstance(error, Refused | ValidationError):
            audit.refuse_for(actor, error, kind="Schedule", uuid=schedule.uuid)
        logger.warning("schedule %s could not submit", schedule.uuid, exc_info=True)
        _record(schedule, due_at, TickOutcome.FAILED, _text_of(error))
    else:
        _record(schedule, due_at, TickOutcome.FIRED, reason, run)


def _submit(actor: Actor, schedule: Schedule, due_at: datetime, path: str) -> Run:
    stored = RunSettings.from_json(schedule.settings)
    settings = replace(
        settings_at(schedule, stored.opened(), path),
        display_name=f"{schedule.name[:230]}-{due_at:%Y%m%dT%H%M%SZ}",
        run_type="Schedule",
    )
    submission = Submission(
        target_of(schedule),
        settings,
        source=Source.SCHEDULE,
        schedule=schedule,
        request=_request(schedule, settings_at(schedule, stored, path)),
    )
    return submit(actor, submission)


def _request(schedule: Schedule, settings: RunSettings) -> dict[str, Any]:
    """The settings for people to read, with the unknown keys beside the others: `submit` masks what
    has a secret's name one level down."""
    shown = replace(settings.masked(), unknown={}, remarks={}).as_json()
    return {**settings.unknown, **shown, "schedule": str(schedule.uuid)}


def _still_running(schedule: Schedule) -> bool:
    return schedule.skips_while_running and Run.objects.live().filter(schedule=schedule).exists()


def _record(
    schedule: Schedule, due_at: datetime, outcome: TickOutcome, reason: str, run: Run | None = None
) -> None:
    ScheduleTick.objects.create(
        schedule=schedule, due_at=due_at, outcome=outcome, reason=reason, run=run
    )
    logger.info("schedule=%s due=%s outcome=%s", schedule.uuid, due_at.isoformat(), outcome)


def _text_of(error: Exception) -> str:
    if isinstance(error, Refused | ValidationError):
        return text_of(error)
    return f"{type(error).__name__}: {error}"[:1000]

"""The audit trail. Services call `record` in the transaction of a change, views call `count` for
what they refuse. No other module writes these rows, except for the past of a demo."""

import hashlib
import json
import logging
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, models, transaction
from django.db.models import F
from django.utils import timezone

from studio.core.access import Actor, Caller
from studio.core.db.transactions import write_transaction
from studio.core.errors import Refused, text_of
from studio.core.models import AuditEvent, Door
from studio.core.origin import origin

ANONYMOUS = "anonymous"
# The most counted rows per minute. Beyond these, one row stands for all others of the address, or
# of everybody.
ROWS_PER_ADDRESS = 20
ROWS_PER_MINUTE = 100
SEVERAL = "(several)"
# How often a process writes counted rows per minute: a flood of refused calls must not keep the
# database from its work. The rest waits in memory and is written once a second.
WRITES_PER_MINUTE = 3000
MOST_WAITING = 100
WAIT = timedelta(seconds=1)

logger = logging.getLogger(__name__)


def record(
    actor: Caller,
    verb: str,
    target: Any,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    **facts: Any,
) -> AuditEvent:
    """Record that `actor` did `verb` to `target`, a row with a `uuid` (and perhaps a `name`)."""
    event = event_of(actor, verb, target, before=before or {}, after=after or {}, **facts)
    event.save(force_insert=True)
    return event


def event_of(actor: Caller, verb: str, target: Any, **facts: Any) -> AuditEvent:
    """The row of `record`, not yet in the database."""
    return _event(
        actor,
        verb=verb,
        kind=target.__class__.__name__,  # `type` would show the proxy of a request's user
        object_uuid=getattr(target, "uuid", None),
        object_name=str(getattr(target, "name", target)),
        **facts,
    )


def count(
    actor: Caller,
    verb: str,
    *,
    kind: str,
    name: str,
    status: int,
    reason: str,
    at_once: bool = True,
    **facts: Any,
) -> bool:
    """Record what anybody can cause as often as they like: one row per actor, address, object and
    minute, with a counter. True for the first time. Unless `at_once`, it may be written later,
    together with the next."""
    event = _event(
        actor, verb=verb, kind=kind, object_name=name, status=status, reason=reason, **facts
    )
    event.last_at = event.at
    event.minute = event.at.replace(second=0, microsecond=0)
    event.counted = _digest(event)
    due = waiting.add(event, at_once=at_once)
    new = [each for each in due if _write_counted(each)]
    return event in new


def refuse(actor: Caller, *, code: str, reason: str, **facts: Any) -> None:
    """Record a refused trigger. If this cannot be written, nothing else fails."""
    try:
        count(actor, "submit refused", reason=reason, after={"code": code}, **facts)
    except DatabaseError:
        logger.warning("a refused trigger could not be written", exc_info=True)


def nobody(name: str = ANONYMOUS) -> Caller:
    """A caller who has not signed in, under the name they give."""
    return Caller(workspace=None, role=None, name=name)


def refuse_for(
    actor: Actor | None, error: Refused | ValidationError, *, kind: str, uuid: UUID
) -> None:
    """`refuse` for an error of a service, about a run of the object with this kind and uuid."""
    refuse(
        actor or nobody(),
        code=getattr(error, "code", None) or "UserError",
        reason=text_of(error),
        status=getattr(error, "status", 400),
        kind=kind,
        name=str(uuid),
        object_uuid=uuid,
        endpoint_uuid=uuid if kind == "PipelineEndpoint" else None,
    )


class Waiting:
    """Counted events of this process that have not been written yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute: datetime | None = None
        self._written = 0
        self._events: dict[tuple[Any, ...], AuditEvent] = {}

    def add(self, event: AuditEvent, *, at_once: bool) -> list[AuditEvent]:
        """The events to be written now, beginning with `event` if it is one of them."""
        with self._lock:
            if self._minute != event.minute:
                self._minute, self._written = event.minute, 0
            if at_once and self._written < WRITES_PER_MINUTE:
                self._written += 1
                return [event, *self._all()]
            self._add(event)
            oldest = next(iter(self._events.values()))
            return self._all() if event.at - oldest.at >= WAIT else []

    def _add(self, event: AuditEvent) -> None:
        if len(self._events) >= MOST_WAITING and _key(event) not in self._events:
            _merge(event, address=None)
        known = self._events.setdefault(_key(event), event)
        if known is not event:
            known.count += 1
            known.last_at = event.at

    def _all(self) -> list[AuditEvent]:
        events, self._events = list(self._events.values()), {}
        return events


waiting = Waiting()


def _key(event: AuditEvent) -> tuple[Any, ...]:
    return event.minute, event.counted


def _write_counted(event: AuditEvent) -> bool:
    with write_transaction():
        if _counted_again(event) or (_merged(event) and _counted_again(event)):
            return False
        try:
            with transaction.atomic():
                event.save(force_insert=True)
        except IntegrityError:  # another process has just created it
            return not _counted_again(event)
    return True


def _merged(event: AuditEvent) -> bool:
    """Whether `event` was added to one of the rows that stand for many. Ever new names and
    addresses must not fill the disk."""
    rows = AuditEvent.objects.filter(minute=event.minute)
    addresses = list(rows.values_list("address", flat=True)[:ROWS_PER_MINUTE])
    if len(addresses) == ROWS_PER_MINUTE:
        _merge(event, address=None)
    elif addresses.count(event.address) >= ROWS_PER_ADDRESS:
        _merge(event, address=event.address)
    else:
        return False
    return True


def _merge(event: AuditEvent, *, address: str | None) -> None:
    event.address = address
    event.actor = event.object_name = SEVERAL
    event.user = event.object_uuid = event.endpoint_uuid = event.token_uuid = None
    event.role = event.asked_version = None
    event.token_name = event.reason = event.request_id = ""
    event.after = {}
    event.counted = _digest(event)


def _event(actor: Caller, **facts: Any) -> AuditEvent:
    where = origin()
    token = actor.token
    return AuditEvent(
        workspace=actor.workspace,
        at=timezone.now(),
        actor=_text(actor.name, 150),
        user=actor.user,
        token_uuid=token.uuid if token else None,
        token_name=token.name if token else "",
        role=actor.role,
        address=where.address,
        door=Door.STEP if actor.run_uuid else where.door,
        request_id=where.request_id,
        object_name=_text(facts.pop("object_name"), 255),
        reason=_text(facts.pop("reason", ""), 255),
        **facts,
    )


def _text(text: str, longest: int) -> str:
    """The text as every database can store it; strangers choose these texts."""
    return text[:longest].replace("\0", "").encode(errors="replace").decode()


def _digest(event: AuditEvent) -> str:
    same = (
        *(event.workspace_id, event.actor, event.token_uuid, event.address, event.verb),
        *(event.kind, event.object_uuid, event.object_name, event.status),
    )
    return hashlib.sha256(json.dumps(same, default=str).encode()).hexdigest()[:32]


def _counted_again(event: AuditEvent) -> bool:
    row = AuditEvent.objects.filter(minute=event.minute, counted=event.counted)
    # Bypasses the append-only queryset: counting is the only change of these rows.
    return bool(models.QuerySet.update(row, count=F("count") + event.count, last_at=event.last_at))

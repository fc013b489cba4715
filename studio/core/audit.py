"""The audit trail: services call `record` in the transaction of the change it describes."""

from studio.core.access import Actor
from studio.core.models import AuditEvent


def record(
    actor: Actor, verb: str, target, *, before: dict | None = None, after: dict | None = None
):
    """Note that `actor` did `verb` to `target`, a row with a `uuid` (and perhaps a `name`)."""
    return AuditEvent.objects.create(
        workspace=actor.workspace,
        actor=actor.name,
        verb=verb,
        kind=type(target).__name__,
        object_uuid=getattr(target, "uuid", None),
        object_name=str(getattr(target, "name", target))[:255],
        before=before or {},
        after=after or {},
    )

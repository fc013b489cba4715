"""Disabling and enabling, and the check before every run that refuses what is disabled."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from endpoints.models import EndpointVersion, EntityStatus, PipelineEndpoint, PublishedPipeline
from studio.core.access import Actor, require
from studio.core.db.transactions import share_locked, write_transaction
from studio.core.errors import Disabled
from studio.core.revisable import lock, revise


def check_runnable(
    endpoint: PipelineEndpoint | None,
    pipeline: PublishedPipeline | None,
    version: EndpointVersion | None = None,
) -> None:
    """Raise Disabled if `pipeline`, or the `endpoint` and `version` that lead to it, is
    disabled."""
    reason = why_disabled(endpoint, pipeline, version)
    if reason:
        raise Disabled(reason)


def hold_runnable(
    endpoint: PipelineEndpoint | None,
    pipeline: PublishedPipeline | None,
    version: EndpointVersion | None = None,
) -> None:
    """`check_runnable` for the rows as they are now, locked until the transaction ends: a run is
    written before a disable or not at all, and so is its audit row.

    Call it late in the transaction. On PostgreSQL the lock is shared with other submits, and a
    disable waits until all of them have committed.
    """
    if pipeline is not None and endpoint is not None and version is not None:
        versions = EndpointVersion.objects.filter(pk=version.pk)
        endpoint.status, pipeline.status = share_locked(
            versions.values_list("endpoint__status", "pipeline__status")
        )
    elif pipeline is not None:
        row = PublishedPipeline.objects.filter(pk=pipeline.pk)
        (pipeline.status,) = share_locked(row.values_list("status"))
    check_runnable(endpoint, pipeline, version)


def why_disabled(
    endpoint: PipelineEndpoint | None,
    pipeline: PublishedPipeline | None,
    version: EndpointVersion | None = None,
) -> str:
    """A sentence that says what is disabled; empty if nothing is."""
    if endpoint is not None and not endpoint.is_active:
        return _("Pipeline endpoint %(name)s is disabled.") % {"name": endpoint.name}
    if pipeline is None or pipeline.is_active:
        return ""
    if endpoint is None or version is None:
        return _("Published pipeline %(name)s (%(id)s) is disabled.") % {
            "name": pipeline.name,
            "id": pipeline.uuid,
        }
    if version.pk == endpoint.default_version_id:
        text = _("Pipeline endpoint %(name)s: version %(number)d, the default, is disabled.")
    else:
        text = _("Pipeline endpoint %(name)s: version %(number)d is disabled.")
    return text % {"name": endpoint.name, "number": version.number}


def disable(actor: Actor, *targets: PipelineEndpoint | PublishedPipeline) -> None:
    """Disable all of them or, if one is refused, none."""
    _switch(actor, targets, EntityStatus.DISABLED)


def enable(actor: Actor, *targets: PipelineEndpoint | PublishedPipeline) -> None:
    _switch(actor, targets, EntityStatus.ACTIVE)


def _switch(
    actor: Actor, targets: Sequence[PipelineEndpoint | PublishedPipeline], status: EntityStatus
) -> None:
    """Set the status. Setting it to what it is already is no error and changes nothing."""
    for target in targets:
        require(actor, "disable", target)
    with write_transaction():
        for target in targets:
            revise(actor, lock(target), {"status": status})
    for target in targets:
        target.refresh_from_db(fields=["status", "etag", "updated_at", "updated_by"])

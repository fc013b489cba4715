"""Compute targets: names of queues for steps."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from endpoints.models import ComputeTarget
from endpoints.services import checks
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import BadValue


@transaction.atomic
def create_compute(actor: Actor, *, name: str, description: str = "") -> ComputeTarget:
    """Make a target of a name that is free."""
    require(actor, "compute")
    target = ComputeTarget(workspace=actor.workspace, name=name, description=description)
    return _save(actor, target)


@transaction.atomic
def put_compute(
    actor: Actor,
    *,
    name: str,
    compute_type: str = "AmlCompute",
    vm_size: str = "",
    description: str = "",
    tags: Mapping[str, Any] | None = None,
    wire: Mapping[str, Any] | None = None,
) -> ComputeTarget:
    """Create a target, or change the description of an existing one. Workers started with its name
    serve it."""
    require(actor, "compute")
    if compute_type != "AmlCompute":
        raise BadValue(
            f"A compute target of type {compute_type!r:.60} cannot be made: every target here is a"
            " queue, which clients know as AmlCompute. Make one by ComputeTarget.create(ws, name,"
            " AmlCompute.provisioning_configuration(vm_size='STANDARD_LOCAL', max_nodes=1)); its"
            " description then says how to start a worker for it, where its steps are to run.",
            field="compute_type",
        )
    found = ComputeTarget.objects.filter(workspace=actor.workspace, name=name).first()
    target = found or ComputeTarget(workspace=actor.workspace, name=name)
    target.vm_size = checks.text("vm_size", vm_size, longest=64) or target.vm_size
    target.description = checks.text("description", description)
    target.tags = checks.document("tags", tags or {})
    target.wire = checks.document("wire", wire or {})
    return _save(actor, target)


def _save(actor: Actor, target: ComputeTarget) -> ComputeTarget:
    verb = "create" if target.pk is None else "change"
    target.full_clean()
    target.save()
    audit.record(actor, verb, target)
    return target


@transaction.atomic
def remove_compute(actor: Actor, target: ComputeTarget) -> None:
    """Remove a target. Steps that were sent to it still run; new runs cannot name it."""
    require(actor, "compute", target)
    audit.record(actor, "remove", target)
    target.delete()

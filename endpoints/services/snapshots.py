"""Snapshots of source folders whose files a client has uploaded one by one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from endpoints import snapshots
from endpoints.models import Snapshot
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import Conflict
from studio.storage import uploads


def create_snapshot(
    actor: Actor,
    *,
    uuid: UUID,
    tree: Mapping[str, Any],
    uploaded: Mapping[str, str],
    parent: UUID | None = None,
    tags: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
) -> Snapshot:
    """The snapshot of `tree`: the files in `uploaded` (`{path: name of its upload}`) as they came, all
    others from the snapshot `parent`. The uploads are removed once it is there."""
    require(actor, "track")  # a folder by itself runs nothing
    stored = {}
    for name, upload in uploaded.items():
        with uploads.read(upload) as stream:
            stored[name] = snapshots.add_file(stream)
    try:
        with transaction.atomic():
            snapshot = snapshots.assemble(
                actor.workspace,
                uuid=uuid,
                tree=tree,
                uploaded=stored,
                parent=_parent(actor, parent),
                tags=tags,
                properties=properties,
            )
            audit.record(actor, "create", snapshot)
    except IntegrityError as error:
        raise Conflict(f"Snapshot {uuid} exists already.") from error
    for upload in uploaded.values():
        uploads.remove(upload)
    return snapshot


def _parent(actor: Actor, uuid: UUID | None) -> Snapshot | None:
    """The snapshot that unchanged files come from. If it is unknown, the first file that is missing is
    refused; the client then drops its cache and sends everything (wire.md 8.2). A step knows no
    snapshot, so that it cannot read other code in this way."""
    if uuid is None or actor.run_uuid is not None:
        return None
    return Snapshot.objects.filter(workspace=actor.workspace, uuid=uuid).first()

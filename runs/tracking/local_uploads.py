"""Files that clients upload for a model without a run (wire.md 9.4, origin LocalUpload): a container is a
name that the client thought up, and its files are known by the storage alone."""

import re

from django.db.models import QuerySet

from runs.models import Asset
from studio.core.errors import BadValue
from studio.core.models import Workspace
from studio.storage.paths import sent_path
from studio.storage.store import studio_store

ORIGIN = "LocalUpload"
CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,99}")


def checked_container(name: str) -> str:
    if not CONTAINER.fullmatch(name):
        raise BadValue(
            "A container of uploads has 1 to 100 letters, digits, dashes, underscores,"
            f" unlike {name!r:.120}.",
            target="container",
        )
    return name


def blob_of(workspace: Workspace, container: str, path: str) -> str:
    """The name in the storage under which an upload is kept."""
    folder = f"uploaded/{workspace.uuid}/{checked_container(container)}"
    return f"{folder}/{sent_path(path)}"


def paths(workspace: Workspace, container: str, prefix: str = "") -> list[str]:
    """The files of a container whose path begins so."""
    if not CONTAINER.fullmatch(container):
        return []
    store = studio_store().below(f"uploaded/{workspace.uuid}/{container}")
    return sorted(name for name in store.names() if name.startswith(prefix))


def assets(workspace: Workspace, container: str) -> QuerySet[Asset]:
    """What was made of a container's files, which are as they are from then on."""
    return Asset.objects.filter(
        workspace=workspace,
        run=None,
        artifacts__0__prefix__startswith=f"{ORIGIN}/{container}/",
    )


def lock(workspace: Workspace) -> None:
    """Until this transaction ends, no upload changes, and no asset is made of uploads."""
    Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=workspace.pk)

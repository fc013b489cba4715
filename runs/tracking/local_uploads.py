"""Files that clients upload for a model without a run (wire.md 9.4, origin LocalUpload). The client invents
the name of a container; its files have no rows and exist only in the storage."""

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
            "The name of a container of uploads must have 1 to 100 letters, digits, dashes or"
            f" underscores, unlike {name!r:.120}.",
            target="container",
        )
    return name


def blob_of(workspace: Workspace, container: str, path: str) -> str:
    """The name of an upload in the storage."""
    folder = f"uploaded/{workspace.uuid}/{checked_container(container)}"
    return f"{folder}/{sent_path(path)}"


def paths(workspace: Workspace, container: str, prefix: str = "") -> list[str]:
    """The files of a container whose path begins with `prefix`."""
    if not CONTAINER.fullmatch(container):
        return []
    store = studio_store().below(f"uploaded/{workspace.uuid}/{container}")
    return sorted(name for name in store.names() if name.startswith(prefix))


def assets(workspace: Workspace, container: str) -> QuerySet[Asset]:
    """The assets made of a container's files. Files that belong to an asset can no longer change."""
    return Asset.objects.filter(
        workspace=workspace,
        run=None,
        artifacts__0__prefix__startswith=f"{ORIGIN}/{container}/",
    )


def lock(workspace: Workspace) -> None:
    """Lock the workspace: until this transaction ends, no upload changes and no asset is made of one."""
    Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=workspace.pk)

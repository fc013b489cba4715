"""The code of a graph's steps, file by file."""

from functools import partial
from uuid import UUID

from django.http import Http404

from endpoints import blueprints, snapshots
from studio.core.ui.files import answer


def code_file(request, graph_uuid: UUID, path: str):
    """A file of the code of a graph's steps: `<id of the snapshot>/<path in it>`."""
    snapshot, _slash, name = path.partition("/")
    for module in blueprints.load(graph_uuid).modules.values():
        held = module.snapshot
        if held is not None and str(held.uuid) == snapshot and name in held.files:
            opened = partial(snapshots.read, held.files[name]["sha256"])
            return answer(request, name, opened)
    raise Http404

"""Snapshots of source folders, as clients send them (wire.md 8.2)."""

from uuid import UUID, uuid4

from django.conf import settings
from rest_framework.response import Response

from endpoints.models import Snapshot
from endpoints.services import create_snapshot
from endpoints.snapshots import zips
from studio.core.access import require
from studio.core.errors import BadValue
from studio.core.rest.bodies import Body, strings
from studio.core.rest.views import WireView, find, wire_time
from studio.storage import links, uploads


class LatestMetadata(WireView):
    """200 even where there is no snapshot: an error would abort the client's submission (wire.md
    8.2). The tree is always empty, so a client without a cache uploads everything."""

    for_run_tokens = True

    def get(self, request, **scope):
        workspace = self.actor.workspace
        root = {
            "name": "",
            "hash": None,
            "type": "Directory",
            "timestamp": wire_time(workspace.created_at),
            "children": {},
        }
        return Response({"id": str(workspace.uuid), "root": root})


class UploadAddresses(WireView):
    """Issues one upload address per file name; the name is only echoed."""

    for_run_tokens = True

    def post(self, request, **scope):
        require(self.actor, "track")  # a folder by itself runs nothing
        body = Body(request.data)
        most = settings.STUDIO_SNAPSHOT_MAX_FILES
        names = strings(body.items("FileNames", most=most), name="FileNames")
        return Response({"fileNodes": [self.node(name) for name in names]})

    def node(self, name: str) -> dict:
        path = f"{self.actor.workspace.uuid}/{uuid4()}"
        address = links.signed_for_upload(self.base_url, uploads.CONTAINER, path, by=self.actor)
        return {"fullName": name, "blobUri": address}


class CreateSnapshot(WireView):
    """Builds a snapshot: the listed files come from their uploads, all other paths of the tree from
    the parent."""

    for_run_tokens = True  # a step may store the code of a child run

    def post(self, request, uuid, **scope):
        body = Body(request.data)
        snapshot = create_snapshot(
            self.actor,
            uuid=self.uuid_of(uuid, "the snapshot"),
            tree=body.mapping("DirTreeNode"),
            uploaded=self.uploaded(Body(body.mapping("FileRevisionList"), name="FileRevisionList")),
            parent=self.parent(body),
            tags=body.texts("Tags"),
            properties=body.texts("Properties"),
        )
        return Response({"id": str(snapshot.uuid), "createdDate": wire_time(snapshot.created_at)})

    def uploaded(self, body: Body) -> dict[str, str]:
        """`{file name: name of its upload}`, from the upload addresses that were issued."""
        return {
            entry.text("FullName", required=True): self.upload_of(entry.text("BlobUri"))
            for entry in (Body(row, name="FileNodes") for row in body.items("FileNodes"))
        }

    def upload_of(self, address: str) -> str:
        own = f"/{uploads.CONTAINER}/{self.actor.workspace.uuid}/"
        _, found, rest = address.partition("?")[0].partition(own)
        if not found or "/" in rest:
            raise BadValue("This BlobUri was not issued for this workspace.", target="BlobUri")
        return f"{self.actor.workspace.uuid}/{rest}"

    def parent(self, body: Body) -> UUID | None:
        """The id of the snapshot before. A text that is no id is read as that of an unknown snapshot."""
        text = body.text("ParentSnapshotId")
        try:
            return UUID(text) if text else None
        except ValueError:
            return None

    def uuid_of(self, text: str, what: str) -> UUID:
        try:
            return UUID(text)
        except ValueError:
            raise BadValue(
                f"The id of {what} must be a UUID, not {text!r:.80}.", target="id"
            ) from None


class SnapshotZip(WireView):
    """Returns the address of a zip of the snapshot, for `Run.restore_snapshot()`."""

    def post(self, request, uuid, **scope):
        rows = Snapshot.objects.filter(workspace=self.actor.workspace)
        path = f"{find(rows, uuid, 'Snapshot').uuid}/code.zip"
        address = links.signed(self.base_url, zips.CONTAINER, path, by=self.actor)
        return Response({"zipSasUri": address})

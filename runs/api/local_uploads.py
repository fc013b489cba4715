"""Files for models without a run, which clients upload directly (wire.md 9.4, origin LocalUpload):
addresses for writing and reading them."""

from rest_framework.response import Response

from runs import services
from runs.api.artifacts import MOST_PATHS
from runs.tracking import local_uploads
from runs.wire.entities import UPLOADED
from studio.core.access import require
from studio.core.errors import NotFound
from studio.core.rest.bodies import Body
from studio.core.rest.views import WireView
from studio.storage import links


class UploadView(WireView):
    for_run_tokens = True

    def files(self, container: str, prefix: str) -> list[str]:
        """The files of a container. A step's token reads only those of a registered model."""
        if self.actor.run_uuid is not None:
            models = local_uploads.assets(self.actor.workspace, container)
            if not models.filter(registered_models__isnull=False).exists():
                return []
        return local_uploads.paths(self.actor.workspace, container, prefix)

    def blob(self, container: str, path: str) -> str:
        return f"{self.actor.workspace.uuid}/{container}/{path}"

    def read_info(self, container: str, path: str) -> dict:
        blob = self.blob(container, path)
        address = links.signed(self.base_url, UPLOADED, blob, by=self.actor)
        return content_info(container, path, address)


class UploadBatch(UploadView):
    """Issues an upload address per path."""

    def post(self, request, container, **scope):
        require(self.actor, "register")
        services.require_open(self.actor.workspace, container)
        paths = [
            Body(row, name="paths").text("path", required=True)
            for row in Body(request.data).items("paths", most=MOST_PATHS)
        ]
        return Response(
            {
                "artifacts": {path: dto(container, path) for path in paths},
                "artifactContentInformation": {
                    path: content_info(container, path, self.write_address(container, path))
                    for path in paths
                },
                "errors": {},
            }
        )

    def write_address(self, container: str, path: str) -> str:
        local_uploads.blob_of(self.actor.workspace, container, path)  # refuses invalid paths
        blob = self.blob(container, path)
        return links.signed_for_upload(self.base_url, UPLOADED, blob, by=self.actor)


class UploadContent(UploadView):
    def get(self, request, container, path, **scope):
        if path not in self.files(container, path):
            raise NotFound(f"Nothing was uploaded as {container}/{path}.")
        return Response(self.read_info(container, path))


class UploadPrefix(UploadView):
    def get(self, request, container, prefix="", **scope):
        found = self.files(container, prefix)
        rows = [self.read_info(container, path) for path in found]
        return Response({"value": rows, "continuationToken": None})


def dto(container: str, path: str) -> dict:
    """ArtifactDto (wire.md 9.4)."""
    return {
        "artifactId": f"{local_uploads.ORIGIN}/{container}/{path}",
        "origin": local_uploads.ORIGIN,
        "container": container,
        "path": path,
        "createdTime": None,
        "etag": None,
    }


def content_info(container: str, path: str, uri: str) -> dict:
    return {
        "contentUri": uri,
        "origin": local_uploads.ORIGIN,
        "container": container,
        "path": path,
    }

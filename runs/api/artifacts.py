"""Artifacts of a run: where to write and read them, by path or prefix (wire.md 9.4)."""

from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from runs.api import visible
from runs.models import Artifact, Asset, Run
from runs.tracking import model_files
from runs.wire.entities import ARTIFACTS, ORIGIN, artifact_dto, content_info, log_files
from studio.core.access import require
from studio.core.errors import BadValue, NotFound
from studio.core.rest.bodies import Body, query_text
from studio.core.rest.schema import query
from studio.core.rest.views import WireView
from studio.storage import links
from studio.storage.paths import sent_path

# `azureml-mlflow` downloads only from addresses that look like Azure's storage, which the cloud
# metadata names, and silently skips all others.
DOWNLOADABLE = "&as=.blob.core.windows.net//?"
# Added to the 404 that `Environment.add_private_pip_wheel` gets.
WHEELS = (
    " Wheels are not kept here: name yours among the pip packages by an http(s) address, or let"
    " '--extra-index-url' lead to the index that has it."
)

MOST_PATHS = 25_000  # files of one folder, uploaded by one call


class ArtifactView(WireView):
    for_endpoint_tokens = for_run_tokens = True

    def run(self, origin: str, container: str) -> Run:
        if origin != ORIGIN or not container.startswith("dcid."):
            wheels = WHEELS if origin == "Environment" else ""
            raise NotFound(f"There is no artifact container {origin}/{container}.{wheels}")
        return visible.find_run(self.actor, container.removeprefix("dcid."))

    def readable(self, origin: str, container: str, path: str) -> tuple[Run, bool]:
        """The run whose artifact at or below `path` is read, and whether only `path` may be shown.
        It is a run in reach of the actor; a step's token (but no other limited one) also reaches
        runs whose files became a registered model, and then sees only `path`."""
        try:
            return self.run(origin, container), False
        except NotFound:
            if self.actor.run_uuid is None:
                raise
            for asset in Asset.objects.filter(
                workspace=self.actor.workspace,
                run__uuid__in=uuids(container.removeprefix("dcid.")),
                registered_models__isnull=False,
            ).select_related("run"):
                for row in asset.artifacts:
                    if f"{origin}/{container}/{path}/".startswith(f"{row['prefix']}/"):
                        return asset.run, True
            raise

    def address(self, run: Run, path: str) -> str:
        return links.signed(self.base_url, ARTIFACTS, f"{run.uuid}/{path}", by=self.actor)


class ArtifactBatch(ArtifactView):
    """Issues an upload address per path; the artifact exists once it is written."""

    def post(self, request, origin, container, **scope):
        body = Body(request.data)
        run = self.run(origin, container)
        require(self.actor, "track", run)
        asked = [
            Body(row, name="paths").text("path", required=True)
            for row in body.items("paths", most=MOST_PATHS)
        ]
        # The client looks for the names as it sent them: "./a.txt", not "a.txt".
        paths = {name: self.path(name) for name in asked}
        model_files.require_free(run, *paths.values())
        return Response(
            {
                "artifacts": {name: artifact_dto(run, path) for name, path in paths.items()},
                "artifactContentInformation": {
                    name: content_info(run, path, self.upload_address(run, path))
                    for name, path in paths.items()
                },
                "errors": {},
            }
        )

    def path(self, name: str) -> str:
        try:
            return sent_path(name)
        except ValidationError as error:
            raise BadValue(" ".join(error.messages), target="path") from error

    def upload_address(self, run: Run, path: str) -> str:
        return links.signed_for_upload(
            self.base_url, ARTIFACTS, f"{run.uuid}/{path}", by=self.actor
        )


class ArtifactList(ArtifactView):
    def get(self, request, origin, container, **scope):
        run = self.run(origin, container)
        logs = [artifact_dto(run, name) for name in log_files(run, self.base_url, by=self.actor)]
        kept = Artifact.objects.filter(run=run).order_by("path")
        rows = logs + [artifact_dto(run, row.path, artifact=row) for row in kept]
        return Response({"value": rows, "continuationToken": None})


class ArtifactContent(ArtifactView):
    def get(self, request, origin, container, path, **scope):
        run, _ = self.readable(origin, container, path)
        address = log_files(run, self.base_url, by=self.actor).get(path)
        if address is None and Artifact.objects.filter(run=run, path=path).exists():
            address = self.address(run, path)
        if address is None:
            raise NotFound(f"Run {run.uuid} has no artifact {path!r}.")
        return Response(content_info(run, path, address))


class ArtifactPrefix(ArtifactView):
    def get(self, request, origin, container, prefix="", **scope):
        run, of_model = self.readable(origin, container, prefix)
        kept = Artifact.objects.filter(run=run, path__startswith=prefix).order_by("path")
        found = {row.path: self.address(run, row.path) for row in kept}
        found |= {
            name: uri
            for name, uri in log_files(run, self.base_url, by=self.actor).items()
            if name.startswith(prefix)
        }
        if of_model:
            inside = f"{prefix.rstrip('/')}/"
            found = {name: uri for name, uri in found.items() if f"{name}/".startswith(inside)}
        rows = [content_info(run, path, uri) for path, uri in sorted(found.items())]
        return Response({"value": rows, "continuationToken": None})


class RunArtifactList(ArtifactList):
    """The artifacts of a run at the run's own address, which `azureml-mlflow` uses."""

    def get(self, request, uuid, **scope):
        return super().get(request, ORIGIN, f"dcid.{uuid}", **scope)


class RunArtifactBatch(ArtifactBatch):
    def post(self, request, uuid, **scope):
        return super().post(request, ORIGIN, f"dcid.{uuid}", **scope)


class RunArtifactContent(ArtifactContent):
    @extend_schema(parameters=[query("path")])
    def get(self, request, uuid, **scope):
        path = query_text(request.query_params, "path")
        reply = super().get(request, ORIGIN, f"dcid.{uuid}", path, **scope)
        reply.data["contentUri"] += DOWNLOADABLE
        return reply


def uuids(text: str) -> list[UUID]:
    """A list of the UUID that the text is; empty for other text."""
    try:
        return [UUID(text)]
    except ValueError:
        return []

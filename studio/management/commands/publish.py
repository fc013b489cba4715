"""`manage.py publish PATH`: publish a v1 pipeline file and its folder, or a zip of both."""

from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from endpoints import services
from endpoints.models import PipelineEndpoint, PublishedPipeline
from studio.core.access import system_actor
from studio.core.errors import Refused
from studio.management.callers import AuditedCommand, find_workspace


class Command(AuditedCommand):
    help = (
        "Publish a pipeline from a v1 YAML file, its folder or a zip; prints its id and REST URL."
    )

    def add_arguments(self, parser):
        parser.add_argument("path", type=Path)
        parser.add_argument("--endpoint", metavar="NAME", help="put it behind this endpoint")
        parser.add_argument(
            "--set-default", action="store_true", help="make it the endpoint's default version"
        )
        parser.add_argument("--id", type=UUID, metavar="UUID", help="the id it had before")
        parser.add_argument(
            "--endpoint-id", type=UUID, metavar="UUID", help="the id the endpoint had"
        )
        parser.add_argument("--workspace", metavar="NAME", help="where several exist")

    def handle(self, *, path: Path, endpoint, set_default, workspace, **options):
        if (set_default or options["endpoint_id"]) and not endpoint:
            raise CommandError("--set-default and --endpoint-id need --endpoint NAME.")
        place = find_workspace(workspace)
        arguments = {
            "endpoint": endpoint,
            "set_default": set_default,
            "uuid": options["id"],
            "endpoint_uuid": options["endpoint_id"],
        }
        actor = system_actor(place, "manage.py publish")
        try:
            if path.suffix.lower() == ".zip":
                with path.open("rb") as archive:
                    pipeline = services.publish_archive(actor, archive, **arguments)
            else:
                pipeline = services.publish_folder(actor, path, **arguments)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{pipeline.uuid} {trigger_url(pipeline, endpoint)}")


def trigger_url(pipeline: PublishedPipeline, endpoint: str | None) -> str:
    """The REST address that callers POST to."""
    base = f"{settings.STUDIO_BASE_URL}/pipelines/v1.0{pipeline.workspace.scope}/PipelineRuns"
    if not endpoint:
        return f"{base}/PipelineSubmit/{pipeline.uuid}"
    uuid = PipelineEndpoint.objects.get(workspace=pipeline.workspace, name=endpoint).uuid
    return f"{base}/PipelineEndpointSubmit/Id/{uuid}"

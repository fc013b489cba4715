"""`manage.py publish PATH`: publish a v1 pipeline file and its folder, or a zip of both."""

from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from endpoints import services
from endpoints.wire.entities import endpoint_url, pipeline_url
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
        version = pipeline.endpoint_versions.select_related("endpoint__workspace").first()
        base = settings.STUDIO_BASE_URL
        url = endpoint_url(version.endpoint, base) if version else pipeline_url(pipeline, base)
        self.stdout.write(f"{pipeline.uuid} {url}")

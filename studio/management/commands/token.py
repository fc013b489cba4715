from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from endpoints.models import PipelineEndpoint
from studio.core import tokens
from studio.management.callers import AuditedCommand, pick, terminal_actor

ARGUMENTS = {"name": "NAME", "days": "--days"}  # of the fields that may be refused


class Command(AuditedCommand):
    help = "Make a token for a caller of the REST API and print it, which happens only this once."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("name", help="what the token is for; shown on the Tokens page")
        parser.add_argument("--user", metavar="U", help="whom it acts as (the administrator)")
        parser.add_argument("--endpoint", metavar="E", help="name or id: opens this endpoint alone")
        parser.add_argument("--days", metavar="N", type=int, default=365)
        parser.add_argument("--workspace", metavar="W", help="(the first)")
        parser.add_argument("--data", metavar="DIR", help="the data folder (./.studio)")

    def handle(self, *, name, user, endpoint, days, workspace, **options):
        user, workspace = pick(username=user, workspace=workspace)
        endpoint_uuid = _endpoint_uuid(endpoint, workspace) if endpoint else None
        by = terminal_actor("token", workspace)
        try:
            _, plain = tokens.make(by, user=user, name=name, days=days, endpoint_uuid=endpoint_uuid)
        except ValidationError as error:
            texts = (
                f"{ARGUMENTS[field]}: {' '.join(said)}"
                for field, said in error.message_dict.items()
            )
            raise CommandError(" ".join(texts)) from error
        self.stdout.write(plain)


def _endpoint_uuid(name: str, workspace) -> UUID:
    endpoints = PipelineEndpoint.objects.filter(workspace=workspace)
    try:
        found = endpoints.filter(uuid=UUID(name)).first()
    except ValueError:
        found = endpoints.filter(name=name).first()
    if found is None:
        raise CommandError(f"there is no endpoint {name!r} in the workspace {workspace}")
    return found.uuid

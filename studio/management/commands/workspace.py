from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import DatabaseError

from endpoints.seed import create_further_workspace
from studio.management.callers import AuditedCommand, nothing_yet


class Command(AuditedCommand):
    help = "Add a workspace under the ids that callers and scripts hold already."
    requires_system_checks = []

    def add_arguments(self, parser):
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="add")
        add = verbs.add_parser("add", help="make a workspace with what the first one started with")
        add.add_argument("--subscription", required=True, metavar="GUID")
        add.add_argument("--group", required=True, metavar="NAME", help="the resource group")
        add.add_argument("--name", required=True, metavar="NAME")
        add.add_argument(
            "--no-samples", action="store_true", help="leave the bundled pipelines out"
        )
        add.add_argument("--data", metavar="DIR", help="the data folder (./.studio)")

    def handle(self, *, subscription, group, name, no_samples, **options):
        try:
            workspace = create_further_workspace(
                name=name,
                resource_group=group,
                subscription_id=subscription,
                by="manage.py workspace add",
                samples=not no_samples,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except DatabaseError as error:
            raise CommandError(nothing_yet()) from error
        self.stdout.write(f"{workspace.uuid} {workspace.scope}")

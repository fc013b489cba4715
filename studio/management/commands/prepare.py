from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from endpoints.models import PublishedPipeline
from endpoints.seed import create_first_workspace, seed
from studio.core.models import Workspace
from studio.demo import story
from studio.supervisor import CannotStart, datafolder


class Command(BaseCommand):
    help = "Bring the database up to date; on the first start make workspace, admin and samples."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--no-samples", action="store_true")
        parser.add_argument("--demo", action="store_true")

    def handle(self, *, no_samples, demo, **options):
        try:
            datafolder.prepare(settings.STUDIO_DATA)
        except CannotStart as refusal:
            raise CommandError(str(refusal)) from refusal
        _refuse_other_database()
        call_command("migrate", interactive=False, verbosity=0)
        started = timezone.now()
        workspace = Workspace.objects.order_by("pk").first()
        if demo and (why_not := story.why_not(workspace)):
            raise CommandError(why_not)
        if workspace is None:
            user, password = create_first_workspace(samples=not no_samples)
            self.stdout.write(
                f"Sign in as {user.username} with password {password} (shown only now;"
                f" `manage.py changepassword {user.username}` sets another)"
            )
        elif not no_samples and not PublishedPipeline.objects.exists():
            seed(workspace)
        if demo:
            story.fill(Workspace.objects.earliest("pk"), since=started)


def _refuse_other_database():
    loader = MigrationLoader(connection)
    unknown = {
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in loader.migrated_apps and (app, name) not in loader.disk_migrations
    }
    if unknown:
        raise CommandError(
            f"the database {settings.DATABASES['default']['NAME']} was written by a newer"
            f" Pipeline Studio ({', '.join(sorted(unknown))}): update first"
        )
    ours = [app.label for app in apps.get_app_configs() if app.label in loader.migrated_apps]
    begun = {app for app, _ in loader.applied_migrations}.issuperset(ours)
    tables = {model._meta.db_table for model in apps.get_models() if not model._meta.proxy}
    missing = tables.difference(connection.introspection.table_names())
    if begun and missing:
        raise CommandError(
            f"the database {settings.DATABASES['default']['NAME']} was written by an older Pipeline"
            f" Studio, and this one cannot read it (it has no table {min(missing)}): use an empty one"
        )

from django.contrib.auth.management.commands import createsuperuser
from django.db.models import Max

from studio.core import audit
from studio.core.models import User
from studio.management.callers import AuditedCommand, terminal_caller


class Command(AuditedCommand, createsuperuser.Command):
    """Django's command, recorded in the audit trail."""

    def handle(self, *args, **options):
        newest = User.objects.aggregate(pk=Max("pk"))["pk"] or 0
        super().handle(*args, **options)
        for user in User.objects.filter(pk__gt=newest, is_superuser=True):
            after = {"username": user.username, "is_superuser": "True"}
            audit.record(terminal_caller("createsuperuser"), "create", user, after=after)

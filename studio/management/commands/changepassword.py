import getpass

from django.contrib.auth.management.commands import changepassword

from studio.core import audit
from studio.core.models import User
from studio.management.callers import AuditedCommand, terminal_caller


class Command(AuditedCommand, changepassword.Command):
    """Django's command, recorded in the audit trail."""

    def handle(self, *args, **options):
        said = super().handle(*args, **options)
        user = User.objects.get(username=options["username"] or getpass.getuser())
        after = {"password": "changed"}
        audit.record(terminal_caller("changepassword"), "change password", user, after=after)
        return said

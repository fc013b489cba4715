"""For whom, and in which workspace, commands of the terminal act."""

import getpass

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from studio.core.access import Actor, Caller
from studio.core.models import Role, User, Workspace
from studio.core.origin import at_the_command_line


class AuditedCommand(BaseCommand):
    """A command whose audit rows say that it came from a terminal."""

    def execute(self, *args, **options):
        with at_the_command_line():
            return super().execute(*args, **options)


def terminal_caller(command: str) -> Caller:
    """Whoever can write the database anyway, under their name on this machine."""
    return Caller(workspace=None, role=Role.ADMIN, name=_name(command))


def terminal_actor(command: str, workspace: Workspace) -> Actor:
    return Actor(workspace=workspace, role=Role.ADMIN, name=_name(command))


def _name(command: str) -> str:
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        name = "?"
    return f"manage.py {command} ({name})"


def pick(*, username: str | None, workspace: str | None) -> tuple[User, Workspace]:
    """The named user and workspace; by default the first administrator and the first workspace."""
    people = User.objects.filter(is_active=True).order_by("pk")
    people = people.filter(username=username) if username else people.filter(is_superuser=True)
    try:
        user, place = people.first(), find_workspace(workspace)
    except DatabaseError as error:
        raise CommandError(nothing_yet()) from error
    if user is None and username:
        raise CommandError(f"there is no active user {username!r}")
    if user is None:
        raise CommandError(nothing_yet())
    return user, place


def find_workspace(name: str | None) -> Workspace:
    """The workspace of this NAME, or GROUP/NAME if two groups have one; by default the first."""
    places = Workspace.objects.order_by("pk")
    if name:
        group, _, own = name.rpartition("/")
        places = places.filter(name=own, **({"resource_group": group} if group else {}))
    found = list(places[:2])
    if name and len(found) > 1:
        raise CommandError(f"there are several workspaces {name!r}: write GROUP/NAME")
    if not found:
        raise CommandError(f"there is no workspace {name!r}" if name else nothing_yet())
    return found[0]


def nothing_yet() -> str:
    return f"there is no studio in {settings.STUDIO_DATA} yet: run `manage.py up` first"

"""For whom the commands that make tokens make them."""

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError

from studio.core.models import User, Workspace


def pick(*, username: str | None, workspace: str | None) -> tuple[User, Workspace]:
    """The user and workspace of these names; without, the first administrator and the first one."""
    people = User.objects.filter(is_active=True).order_by("pk")
    people = people.filter(username=username) if username else people.filter(is_superuser=True)
    places = Workspace.objects.order_by("pk")
    places = places.filter(name=workspace) if workspace else places
    try:
        user, place = people.first(), places.first()
    except DatabaseError as error:
        raise CommandError(_nothing_yet()) from error
    if user is None and username:
        raise CommandError(f"there is no active user {username!r}")
    if place is None and workspace:
        raise CommandError(f"there is no workspace {workspace!r}")
    if user is None or place is None:
        raise CommandError(_nothing_yet())
    return user, place


def _nothing_yet() -> str:
    return f"there is no studio in {settings.STUDIO_DATA} yet: run `manage.py up` first"

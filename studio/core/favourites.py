"""Favourites: each person's own stars, which nobody else sees."""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from studio.core.access import Actor, require
from studio.core.models import Favourite


def mark(actor: Actor, target: Any, *, on: bool) -> None:
    """Put the star on `target`, a row with a `uuid`, or remove it. Doing so twice changes
    nothing."""
    require(actor, "read", target)
    mine = {"user": actor.user, "workspace": actor.workspace, "uuid": target.uuid}
    if on:
        Favourite.objects.get_or_create(**mine)
    else:
        Favourite.objects.filter(**mine).delete()


def is_marked(actor: Actor, uuid: UUID) -> bool:
    return _of(actor).filter(uuid=uuid).exists()


def starred(actor: Actor) -> Exists:
    """An annotation: whether the row is a favourite of the actor's."""
    return Exists(_of(actor).filter(uuid=OuterRef("uuid")))


def _of(actor: Actor) -> QuerySet[Favourite]:
    return Favourite.objects.filter(user=actor.user, workspace=actor.workspace)

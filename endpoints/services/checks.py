"""Checks of texts and documents that every service makes, whoever calls it."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db.models import Model

from studio.core import numbers
from studio.core.access import Actor, require
from studio.core.errors import Conflict

NUL = "\0"


def text(field: str, value: object, *, longest: int | None = None, required: bool = False) -> str:
    if not isinstance(value, str):
        raise ValidationError({field: ["This must be a text."]})
    if NUL in value:  # PostgreSQL cannot store it
        raise ValidationError({field: ["This must not contain a zero character."]})
    if required and not value.strip():
        raise ValidationError({field: ["This text is required."]})
    if longest and len(value) > longest:
        raise ValidationError({field: [f"This is longer than {longest} characters."]})
    return value.strip() if required else value


def document(field: str, value: object) -> dict[str, Any]:
    """A JSON object that every database can store, with numbers as they were written."""
    if not isinstance(value, Mapping):
        raise ValidationError({field: ["This must be an object."]})
    try:
        if "\\u0000" in json.dumps(value):
            raise ValidationError({field: ["This must not contain a zero character."]})
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationError({field: ["This cannot be kept as JSON."]}) from error
    return {str(key): numbers.storable(item) for key, item in value.items()}


def chosen_uuid(actor: Actor, model: type[Model], uuid: UUID | None) -> UUID:
    """The id a new object is to have, as it had elsewhere (wire.md 2.5): Admin only, refused when taken."""
    if uuid is None:
        return uuid4()
    require(actor, "administer")
    if model._default_manager.filter(uuid=uuid).exists():
        raise Conflict(f"The id {uuid} is taken already.")
    return uuid

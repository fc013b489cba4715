"""Registered environments: names whose versions are definitions (wire.md 9.6)."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from endpoints.models import Environment, EnvironmentVersion
from endpoints.services import checks
from studio.core import audit
from studio.core.access import Actor, require
from studio.core.errors import BadValue, Conflict


@transaction.atomic
def register_environment(
    actor: Actor, *, name: str, definition: Mapping[str, Any], version: str = ""
) -> EnvironmentVersion:
    """Add a version, unless the newest one is the same. If a version number is given, it is created
    or must be equal."""
    require(actor, "register")
    name = checks.text("name", name, longest=255, required=True)
    definition = checks.document("definition", definition)
    environment, _ = Environment.objects.get_or_create(workspace=actor.workspace, name=name)
    versions = environment.versions.order_by("-number")
    newest = versions.first()
    number = _number(version) if version else None
    known = versions.filter(number=number).first() if number is not None else newest
    if known is not None and known.definition == definition:
        return known
    if known is not None and number is not None:
        raise Conflict(f"Environment {name} has another version {number} already.")
    if number is None:
        number = newest.number + 1 if newest else 1
    try:
        with transaction.atomic():
            made = EnvironmentVersion.objects.create(
                environment=environment, number=number, definition=definition
            )
    except IntegrityError as error:
        raise Conflict(f"Environment {name} was registered by somebody else just now.") from error
    audit.record(actor, "register", environment, after={"version": number})
    return made


def is_number(version: str) -> bool:
    return version.isascii() and version.isdigit() and len(version) < 9


def _number(version: str) -> int:
    if not is_number(version):
        raise BadValue(
            f"The version of an environment is a number, not {version!r:.60}.", target="version"
        )
    return int(version)

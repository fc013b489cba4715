"""Key-vault secrets: encrypted at rest with a key derived from the installation's secret key."""

import base64
import hashlib
from collections.abc import Iterable, Mapping

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from studio.core.access import Actor, require
from studio.core.audit import record
from studio.core.errors import NotFound
from studio.core.models import Secret


def encrypt(text: str) -> bytes:
    return _fernet().encrypt(text.encode())


def decrypt(ciphertext: bytes | memoryview) -> str:
    return _fernet().decrypt(bytes(ciphertext)).decode()


def _fernet() -> Fernet:
    key = hashlib.blake2b(settings.SECRET_KEY.encode(), digest_size=32, person=b"studio-secrets")
    return Fernet(base64.urlsafe_b64encode(key.digest()))


@transaction.atomic
def set_secret(actor: Actor, *, name: str, value: str, content_type: str = "") -> Secret:
    require(actor, "secret")
    if not name or not name.replace("-", "").isalnum() or len(name) > 127:
        raise ValidationError(
            {"name": f"{name!r} is no secret name: use 1-127 letters, digits and dashes."}
        )
    secret, _ = Secret.objects.update_or_create(
        workspace=actor.workspace,
        name=name,
        defaults={
            "ciphertext": encrypt(value),
            "content_type": content_type,
            "updated_at": timezone.now(),
        },
    )
    record(actor, "set secret", secret)
    return secret


@transaction.atomic
def set_secrets(actor: Actor, rows: Iterable[Mapping[str, str]]) -> None:
    """`set_secret` for each of `rows`: all of them or none."""
    for row in rows:
        set_secret(actor, **row)


def get_secret(actor: Actor, *, name: str) -> str:
    return decrypt(read_secret(actor, name=name).ciphertext)


def read_secret(actor: Actor, *, name: str) -> Secret:
    """Return a secret and record who read it, and in which run.

    Readers and Operators may not read secrets. A workspace's steps may: their code was published by
    people who may read secrets anyway, and their token dies with the run.
    """
    if actor.run_uuid is None:
        require(actor, "secret")
    secret = Secret.objects.filter(workspace=actor.workspace, name=name).first()
    if secret is None:
        raise NotFound(f"There is no secret named {name!r} in workspace {actor.workspace}.")
    record(actor, "read secret", secret, after={"run": str(actor.run_uuid or "")})
    return secret


def secret_names(actor: Actor) -> list[str]:
    """The names of the workspace's secrets, for those who may read their values."""
    require(actor, "secret")
    rows = Secret.objects.filter(workspace=actor.workspace).order_by("name")
    return list(rows.values_list("name", flat=True))


@transaction.atomic
def delete_secret(actor: Actor, *, name: str) -> None:
    require(actor, "secret")
    secret = Secret.objects.filter(workspace=actor.workspace, name=name).first()
    if secret is None:
        raise NotFound(f"There is no secret named {name!r} in workspace {actor.workspace}.")
    record(actor, "delete secret", secret)
    secret.delete()


@transaction.atomic
def delete_secrets(actor: Actor, names: Iterable[str]) -> None:
    """`delete_secret` for each of `names`: all of them or none."""
    for name in names:
        delete_secret(actor, name=name)

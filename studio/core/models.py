"""Who and where: users, workspaces, roles, tokens, favourites, secrets and the audit trail."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

APPEND_ONLY = "The audit trail is append-only: its rows are neither changed nor deleted."


class User(AbstractUser):
    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)


class Workspace(models.Model):
    """The v1 workspace; every other row, token and page belongs to one.

    Clients use `uuid` as the key of their caches; a reset server gets a new one.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    subscription_id = models.CharField(max_length=64)
    resource_group = models.CharField(max_length=90)
    name = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("subscription_id"),
                Lower("resource_group"),
                Lower("name"),
                name="workspace_unique_scope",
                violation_error_message=_("This workspace exists already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope(self) -> str:
        """The path of the workspace, with which its routes begin after their prefix (wire.md
        1.1)."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"
        )


class Role(models.IntegerChoices):
    READER = 10, _("Reader")
    OPERATOR = 20, _("Operator")
    PUBLISHER = 30, _("Publisher")
    ADMIN = 40, _("Admin")


class RoleGrant(models.Model):
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="grants", db_index=False
    )
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="grants")
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.READER)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "workspace"],
                name="rolegrant_one_per_user",
                violation_error_message=_("This user has a role in this workspace already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()} · {self.workspace}"


class Token(models.Model):
    """A caller's token: shown once, stored as SHA-256. It acts as its user in one workspace."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # No foreign key, because core does not know endpoints. Null opens the whole workspace.
    endpoint_uuid = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    granted: int | None  # the role of its user; set by `tokens` when it finds the token

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()


class Favourite(models.Model):
    """A person's star."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="favourites", db_index=False
    )
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="favourites")
    # No foreign key, because core knows neither endpoints nor published pipelines.
    uuid = models.UUIDField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "workspace", "uuid"], name="favourite_one_per_thing"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.uuid}"


class Secret(models.Model):
    """A key-vault entry, encrypted with a key derived from the installation's secret key."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="secrets", db_index=False)
    name = models.CharField(max_length=127)
    ciphertext = models.BinaryField()
    content_type = models.CharField(max_length=100, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="secret_unique_name")
        ]

    def __str__(self) -> str:
        return self.name


class SignInTries(models.Model):
    """The number of failed sign-ins within a minute, per name and address, or per address. Older
    rows are removed."""

    minute = models.DateTimeField()
    key = models.CharField(max_length=64)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "sign-in tries"
        constraints = [models.UniqueConstraint(fields=["minute", "key"], name="tries_counted_once")]

    def __str__(self) -> str:
        return f"{self.count} at {self.minute}"


class Append(models.QuerySet["AuditEvent"]):
    """Rows that are only ever inserted."""

    def update(self, **kwargs: Any) -> int:
        raise TypeError(APPEND_ONLY)

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError(APPEND_ONLY)

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        raise TypeError(APPEND_ONLY)


class Door(models.TextChoices):
    """How a request came in."""

    PAGE = "Page", _("Page")
    REST = "REST", "REST"
    STEP = "Step", _("Step")
    ADMIN = "Admin", _("Admin pages")
    COMMAND = "Command", _("Command line")
    STUDIO = "Studio", _("The studio itself")


class AuditEvent(models.Model):
    """Who did what to which object, and from where. Append-only.

    It outlives the objects that it names, so it has no foreign keys. What anybody can cause at will
    (failed sign-ins, refused triggers) is one row per minute with a counter: `count` times until
    `last_at`.
    """

    # Null for an account, which belongs to no workspace.
    workspace = models.ForeignKey(
        Workspace,
        models.DO_NOTHING,
        null=True,
        related_name="audit",
        db_index=False,
        db_constraint=False,
    )
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    token_uuid = models.UUIDField(null=True)
    token_name = models.CharField(max_length=100, blank=True)
    role = models.PositiveSmallIntegerField(choices=Role.choices, null=True)
    address = models.GenericIPAddressField(null=True)
    door = models.CharField(max_length=10, choices=Door.choices, default=Door.STUDIO)
    request_id = models.CharField(max_length=32, blank=True)
    verb = models.CharField(max_length=40)
    kind = models.CharField(max_length=40)
    object_uuid = models.UUIDField(null=True)
    object_name = models.CharField(max_length=255, blank=True)
    # For a trigger: the endpoint, and the version asked for (null: its default).
    endpoint_uuid = models.UUIDField(null=True)
    asked_version = models.IntegerField(null=True)
    # For a refusal: the status that the caller got; null for what was done.
    status = models.PositiveSmallIntegerField(null=True)
    reason = models.CharField(max_length=255, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    count = models.PositiveIntegerField(default=1)
    last_at = models.DateTimeField(null=True)
    # For a counting row: its minute, and a digest of what it counts.
    minute = models.DateTimeField(null=True, editable=False)
    counted = models.CharField(max_length=32, blank=True, editable=False)

    objects = Append.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-id"], name="audit_newest"),
            models.Index(fields=["workspace", "actor", "-id"], name="audit_of_actor"),
            models.Index(fields=["workspace", "verb", "-id"], name="audit_of_verb"),
            models.Index(fields=["object_uuid", "-id"], name="audit_of_object"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["minute", "counted"],
                condition=models.Q(minute__isnull=False),
                name="audit_counted_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.verb} {self.object_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(APPEND_ONLY)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(APPEND_ONLY)

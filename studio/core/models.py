"""Who and where: users, workspaces, roles, tokens, favourites, secrets and the audit trail."""

from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)


class Workspace(models.Model):
    """The v1 workspace: every other row, token and page belongs to one.

    `uuid` is the workspace id that clients key their caches by; a wiped server gets a new one.
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

    def __str__(self):
        return self.name

    @property
    def scope(self) -> str:
        """The `W` of the wire: the path every workspace route starts with, after its prefix."""
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

    def __str__(self):
        return f"{self.user} · {self.get_role_display()} · {self.workspace}"


class Token(models.Model):
    """A caller's key: shown once, stored as SHA-256, acting as its user in one workspace."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="tokens")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # A value, not a foreign key: core knows no endpoints. Null opens the whole workspace.
    endpoint_uuid = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self):
        return self.name

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()


class Favourite(models.Model):
    """What a person marked with a star."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="favourites", db_index=False
    )
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="favourites")
    # A value, not a foreign key: core knows neither endpoints nor published pipelines.
    uuid = models.UUIDField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "workspace", "uuid"], name="favourite_one_per_thing"
            )
        ]

    def __str__(self):
        return f"{self.user} · {self.uuid}"


class Secret(models.Model):
    """A key-vault entry, encrypted with a key derived from the secret key of the installation."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="secrets", db_index=False)
    name = models.CharField(max_length=127)
    ciphertext = models.BinaryField()
    content_type = models.CharField(max_length=100, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="secret_unique_name")
        ]

    def __str__(self):
        return self.name


class AuditEvent(models.Model):
    """Who did what to which object; append-only."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="audit", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=150)
    verb = models.CharField(max_length=40)
    kind = models.CharField(max_length=40)
    object_uuid = models.UUIDField(null=True)
    object_name = models.CharField(max_length=255, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-id"], name="audit_newest"),
            models.Index(fields=["object_uuid", "-id"], name="audit_of_object"),
        ]

    def __str__(self):
        return f"{self.actor} {self.verb} {self.object_name}"

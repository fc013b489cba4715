from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from studio.core.models import Workspace

queue_name = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    _("Use 1-64 letters, digits, dashes and underscores, starting with a letter or digit."),
)


class ComputeTarget(models.Model):
    """A named place to run steps. The name is a Celery queue; workers started with it serve it."""

    workspace = models.ForeignKey(
        Workspace, models.CASCADE, related_name="compute_targets", db_index=False
    )
    name = models.CharField(max_length=64, validators=[queue_name])
    description = models.TextField(blank=True)
    compute_type = models.CharField(max_length=40, default="AmlCompute")
    vm_size = models.CharField(max_length=64, default="STANDARD_LOCAL", blank=True)
    # Posted by ComputeTarget.create, and returned to the client unchanged.
    wire = models.JSONField(default=dict, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"],
                name="compute_unique_name",
                violation_error_message=_("A compute target of this name exists already."),
            ),
            models.CheckConstraint(
                condition=~Q(name="control"),
                name="compute_not_control",
                violation_error_message=_(
                    "`control` is the studio's own queue; choose another name."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

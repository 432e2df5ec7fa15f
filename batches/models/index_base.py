"""From which number an organisation's object indices count, which Amili documents nowhere."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class IndexBase(models.Model):
    """What was last concluded from a submitted file, or decided by a person."""

    organization_id = models.UUIDField(primary_key=True)
    base = models.SmallIntegerField()
    decided_by = models.ForeignKey(  # nobody: concluded from a file
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(base__in=[0, 1]), name="index_base_is_zero_or_one")]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.base}"

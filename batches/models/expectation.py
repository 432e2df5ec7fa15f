"""When an organisation is expected to send, where somebody knows better than its rhythm."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class Expectation(models.Model):
    """What a person has said of when an organisation sends. Of those without one we expect what we have learnt."""

    class Mode(models.TextChoices):
        LEARNT = "learnt", _("As learnt from its rhythm")
        FIXED = "fixed", _("On these weekdays, by this time")
        NEVER = "never", _("Never")

    organization_id = models.UUIDField(primary_key=True)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.LEARNT)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list)  # Monday is 0
    by = models.TimeField(null=True)  # on the site's clock
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(mode="fixed") | (models.Q(by__isnull=False) & ~models.Q(weekdays=[])),
                name="fixed_expectation_says_when",
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.mode}"

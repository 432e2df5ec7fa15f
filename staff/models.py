"""People who sign in, and which batches they looked at."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person comes here for."""

    FINANCE = "finance", _("Finance")
    SUPPORT = "support", _("Support")
    MANAGER = "manager", _("Manager")


class Person(AbstractUser):
    """A member of staff."""

    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.FINANCE)
    default_view = models.ForeignKey(  # with which the list of batches opens
        "batches.SavedView", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta(AbstractUser.Meta):
        verbose_name = _("person")  # type: ignore[assignment]
        verbose_name_plural = _("people")  # type: ignore[assignment]

    @property
    def initials(self) -> str:
        """Two letters for the round badge: of first and last name, else of the username."""
        return (f"{self.first_name[:1]}{self.last_name[:1]}" or self.username[:2]).upper()

    def remember_look(self, batch_id: UUID, at: datetime) -> None:
        """Note that this person opened a batch's page."""
        Look.objects.bulk_create(
            [Look(person=self, batch_id=batch_id, at=at)],
            update_conflicts=True,
            unique_fields=["person", "batch"],
            update_fields=["at"],
        )


class Look(models.Model):
    """The last time that a person opened a batch's page."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="looks", db_index=False)
    batch = models.ForeignKey("batches.Batch", models.CASCADE, related_name="looks")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "batch"], name="one_look_per_person_and_batch")]
        indexes = [models.Index(fields=["person", "-at"], name="look_newest_of_person")]  # Batch.looked_at_by

    def __str__(self) -> str:
        return f"{self.person_id} {self.batch_id}"

"""Lists that somebody wants to come back to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

if TYPE_CHECKING:
    from staff.models import Person


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Reads of views."""

    def offered_to(self, person: Person) -> Self:
        """This person's own views, and those that others share."""
        return self.filter(Q(person=person) | Q(is_shared=True)).order_by("is_shared", "name")


class SavedView(models.Model):
    """A list of batches with its filters, under a name."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views", db_index=False)
    name = models.CharField(max_length=60)
    query = models.TextField(default="", blank=True)  # of the list's address, without a page
    is_shared = models.BooleanField(default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="saved_view_named_once")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{reverse('batches')}?{self.query}"

"""How far we have looked through each organisation's list of batches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from batches.models.claims import unclaimed
from batches.pace import LEASE
from batches.words import Trouble


class Walk(models.TextChoices):
    """Why we go through a list."""

    NEWEST = "newest", _("New batches")  # often, from the top until it meets what an earlier walk has seen
    SWEEP = "sweep", _("Whole list")  # once a day and slowly, for what was listed late or has changed since
    BACKFILL = "backfill", _("Backfill")  # from the command line


class DiscoveryQuerySet(models.QuerySet["Discovery"]):
    """Who looks, and when."""

    def plan(self, organization_ids: Iterable[UUID], walk: Walk, at: datetime) -> None:
        """Begin to look through the lists of these organisations, where that has not begun yet."""
        # Read first: an insert would wait for whoever is recording a page of that walk.
        planned = set(self.filter(walk=walk).values_list("organization_id", flat=True))
        missing = [
            Discovery(organization_id=each, walk=walk, next_at=at) for each in organization_ids if each not in planned
        ]
        self.bulk_create(missing, ignore_conflicts=True)

    def by_themselves(self, organization_ids: Iterable[UUID]) -> Self:
        """The walks through the lists of these organisations that need nobody to start them."""
        return self.filter(organization_id__in=list(organization_ids)).exclude(walk=Walk.BACKFILL)

    def due(self, now: datetime) -> Self:
        return self.filter(unclaimed(now), next_at__lte=now)

    def claim(self, pk: int, now: datetime) -> bool:
        """Take the right to go on with this walk. True for one caller only, until it is done or LEASE is over."""
        return self.due(now).filter(pk=pk).update(claimed_until=now + LEASE) == 1


class Discovery(models.Model):
    """Our place in one organisation's list. A walk that was stopped goes on from `page_token`."""

    organization_id = models.UUIDField()
    walk = models.CharField(max_length=10, choices=Walk)

    started_at = models.DateTimeField(null=True)  # of the walk under way; empty: there is none
    back_to = models.DateTimeField(null=True)  # how far back it goes
    page_token = models.TextField(default="", blank=True)
    pages = models.PositiveIntegerField(default=0)  # so far
    reached_at = models.DateTimeField(null=True)  # creation of the last batch so far
    is_ordered = models.BooleanField(default=True)  # whether the list has proved to be newest first so far

    next_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    complete_at = models.DateTimeField(
        null=True
    )  # start of the last walk that came to its end: all listed before is known
    found_at = models.DateTimeField(null=True)  # when a batch that was new to us was last found
    trouble = models.CharField(max_length=20, choices=Trouble, default=Trouble.NONE, blank=True)
    trouble_detail = models.TextField(default="", blank=True)

    objects = DiscoveryQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="discovery_due")]
        constraints = [models.UniqueConstraint(fields=["organization_id", "walk"], name="one_walk_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.walk}"

    def save_as_claimed(self, **changes: Any) -> bool:
        """Save these fields, if we still hold the claim; whoever has it after us goes on by itself."""
        held = Discovery.objects.filter(pk=self.pk, claimed_until=self.claimed_until)
        for name, value in changes.items():
            setattr(self, name, value)
        return held.update(**changes) == 1

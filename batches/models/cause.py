"""What many error messages have in common, within a batch and over all of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.functional import cached_property

from batches.models.batch import Batch
from batches.models.triage import Triaged
from batches.words import NO_ORGANIZATION, RESOLVED, WAITING

if TYPE_CHECKING:
    from staff.models import Person


class CauseQuerySet(models.QuerySet["Cause"]):
    """Reads, each with the name of what it is for."""

    def visible_to(self, person: Person) -> Self:
        """The causes that this person may see: of batches that they may see, which for now are all.

        The sums of a cause are over all batches, so that they will have to become a matter of this too.
        """
        return self.all()

    def occurring(self) -> Self:
        """Causes that some batch has at present."""
        return self.filter(batch_count__gt=0)

    def last_seen_first(self) -> Self:
        return self.order_by("-last_seen_at", "-id")

    def unresolved(self) -> Self:
        return self.exclude(triage_state__in=RESOLVED)

    def waiting(self) -> Self:
        return self.filter(triage_state__in=WAITING)


class Cause(Triaged):
    """What error messages of one fingerprint have in common, by one version of the grouping."""

    grouping = models.PositiveSmallIntegerField()  # batches.fingerprint.GROUPING of when it was made
    key = models.BinaryField(editable=False)  # SHA-256 of the template
    template = models.TextField()
    example = models.TextField(default="", blank=True)  # the first message that had it
    advice = models.TextField(default="", blank=True)  # what to do about it, in plain words
    advised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    advised_at = models.DateTimeField(null=True)
    replaced_by = models.ForeignKey(  # the same by a later version of the grouping
        "self", models.SET_NULL, null=True, related_name="replaces", db_index=False
    )
    came_back_in = models.ForeignKey(  # the batch that opened it anew, until somebody moves it
        Batch, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    # how much there is of it in all batches
    batch_count = models.IntegerField(default=0)
    row_count = models.BigIntegerField(default=0)
    organization_count = models.IntegerField(default=0)
    first_seen_at = models.DateTimeField(null=True)  # these two stay when no batch has it any more
    last_seen_at = models.DateTimeField(null=True)

    objects = CauseQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grouping", "key"], name="cause_once")]
        indexes = [
            models.Index(  # the list
                fields=["-last_seen_at", "-id"], name="cause_last_seen", condition=models.Q(batch_count__gt=0)
            ),
            models.Index(  # what a cause took the place of
                fields=["replaced_by"], name="cause_replaced", condition=models.Q(replaced_by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("cause", args=[self.pk])


class BatchCauseQuerySet(models.QuerySet["BatchCause"]):
    """Reads of what batches have of causes."""

    def top_of(self, batch_ids: Collection[UUID]) -> dict[UUID, Cause]:
        """Of each of these batches the cause with most rows: the first of its index, however many it has."""
        ranked = self.filter(batch=models.OuterRef("pk")).order_by("-rows", "cause")
        first = models.Subquery(ranked.values("cause")[:1])
        top = dict(Batch.objects.filter(pk__in=batch_ids).values_list("pk", first))
        causes = Cause.objects.in_bulk(set(top.values()) - {None})
        return {batch_id: causes[cause_id] for batch_id, cause_id in top.items() if cause_id}


class BatchCause(models.Model):
    """A cause within a batch."""

    pk = models.CompositePrimaryKey("batch_id", "cause_id")
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="causes", db_index=False)
    cause = models.ForeignKey(Cause, models.CASCADE, related_name="batches", db_index=False)
    rows = models.PositiveIntegerField()  # error rows
    objects_hit = models.PositiveIntegerField()  # distinct object indices; rows without one count singly
    ranges = models.JSONField(default=list)  # of object indices, ascending: [[0, 41], [57, 57]]; the first MOST_RANGES
    example = models.TextField(default="", blank=True)
    # as the batch had them when this was written, for the roll-ups and for the order of the cause's page
    organization_id = models.UUIDField(default=NO_ORGANIZATION)
    submitted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # empty: the batch is not finished, and counts on no day

    objects = BatchCauseQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["cause", "-submitted_at", "-batch"], name="batch_of_cause"),  # the cause's page
            models.Index(fields=["batch", "-rows", "cause"], name="causes_of_batch"),  # the batch's, and its top one
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.cause_id}"

    @cached_property
    def objects_beyond(self) -> int:
        """How many objects have an index outside of the ranges kept."""
        within: int = sum(last - first + 1 for first, last in self.ranges)
        return max(self.objects_hit - within, 0)


class CauseDay(models.Model):
    """How much of a cause the batches have that finished on a day."""

    pk = models.CompositePrimaryKey("cause_id", "day")
    cause = models.ForeignKey(Cause, models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()  # on the site's clock
    batches = models.IntegerField()
    rows = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["day", "-rows"], name="cause_by_day")]  # the top causes of a day

    def __str__(self) -> str:
        return f"{self.cause_id} {self.day}"


class CauseOrganization(models.Model):
    """How much of a cause the batches of an organisation have, and since when. What was seen stays seen."""

    pk = models.CompositePrimaryKey("cause_id", "organization_id")
    cause = models.ForeignKey(Cause, models.CASCADE, related_name="organizations", db_index=False)
    organization_id = models.UUIDField()
    batches = models.IntegerField()
    rows = models.BigIntegerField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.cause_id} {self.organization_id}"

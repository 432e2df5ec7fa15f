"""What became of all batches, day by day: sums, so that no page has to add up batches. Written by batches.tally alone."""

from __future__ import annotations

from django.db import models

from batches.words import Outcome

QUARTERS = 96
"""Quarters of an hour on a clock's face; a day of 23 or 25 hours leaves four out, or goes through four twice."""


class OutcomeDay(models.Model):
    """The batches of an organisation, of one type and one outcome, that finished on a day."""

    pk = models.CompositePrimaryKey("day", "organization_id", "type", "outcome")
    day = models.DateField()  # on the site's clock, as in all of these
    organization_id = models.UUIDField()  # NO_ORGANIZATION: they name none
    type = models.TextField()
    outcome = models.CharField(max_length=20, choices=Outcome)
    batches = models.IntegerField()
    succeeded = models.BigIntegerField()  # objects
    failed = models.BigIntegerField()  # objects

    def __str__(self) -> str:
        return f"{self.day} {self.organization_id} {self.outcome}"


class DayPace(models.Model):
    """How many of the batches that finished on a day took this long, from their creation."""

    pk = models.CompositePrimaryKey("day", "seconds")
    day = models.DateField()
    seconds = models.BigIntegerField()  # rounded up to two digits: 99, 100, 110 … 990, 1000, 1100
    batches = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.seconds} s"


class OrganizationPace(models.Model):
    """The same of an organisation's batches in a month."""

    pk = models.CompositePrimaryKey("organization_id", "month", "seconds")
    organization_id = models.UUIDField()
    month = models.DateField()  # its first day
    seconds = models.BigIntegerField()
    batches = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.organization_id} {self.month:%Y-%m} {self.seconds} s"


class Arrival(models.Model):
    """How many batches an organisation's creditors created in a quarter of an hour, however they ended."""

    pk = models.CompositePrimaryKey("day", "organization_id", "quarter")
    day = models.DateField()
    organization_id = models.UUIDField()
    quarter = models.PositiveSmallIntegerField()  # of the clock's face, from 0: 36 is 09:00 to 09:15
    batches = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["organization_id", "day"], name="arrival_of_organization")]  # its first day

    def __str__(self) -> str:
        return f"{self.day} {self.organization_id} {self.quarter}"

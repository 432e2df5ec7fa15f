"""Reads of batches and claims on them, each with the name of what it is for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import connection, models, transaction
from django.db.models.functions import Least
from django.db.models.lookups import GreaterThan

from batches.days import bounds_of
from batches.models.claims import unclaimed
from batches.models.timeline import TimelineEntry
from batches.pace import LEASE, SLOW, WATCH_LASTS, WATCH_RENEWAL, is_watched
from batches.words import RESOLVED, UNFINISHED, WAITING, Outcome, Source, Trouble

if TYPE_CHECKING:
    from batches.models.batch import Batch
    from staff.models import Person


# A difference, since the database takes it for a matter of the clock what a time and an interval add up to.
TOOK_LONG = models.Q(
    GreaterThan(models.F("ended_at") - models.F("submitted_at"), models.Value(SLOW, models.DurationField()))
)
"""Finished only after more than SLOW: among them are all finished ones that can have been stuck."""

OPEN_FOR = models.Func(
    Least("submitted_at", "ended_at"),  # a range ends in no order but this
    models.F("ended_at"),
    models.Value("(]"),
    function="tstzrange",
    output_field=DateTimeRangeField(),
)
"""From the submission of a batch to its end, at which it was open for the last time."""

NEVER_TOLD = models.Q(checked_at__isnull=True) & ~models.Q(trouble=Trouble.NONE)
"""Amili has never told us anything of it, and the last question went wrong."""

# By their outcomes, which an index knows: of those to be asked about most may be finished ones that have their late check.
RUNS = models.Q(outcome__in=UNFINISHED, next_check_at__isnull=False) & ~NEVER_TOLD
"""Not finished as far as we know."""


class BatchQuerySet(models.QuerySet["Batch"]):
    """All of them."""

    def visible_to(self, person: Person) -> Self:
        """The batches whose facts this person may see. The one place that decides it: for now, everybody sees all."""
        return self.all()

    def newest_first(self) -> Self:
        return self.order_by("-submitted_at", "-id")

    def running(self) -> Self:
        """Batches that are not finished as far as we know; not those that Amili has never told us anything of."""
        return self.filter(RUNS)

    def with_failures(self) -> Self:
        """Finished batches in which something failed."""
        return self.filter(outcome__in=[Outcome.FAILED, Outcome.PARTIAL])

    def unresolved(self) -> Self:
        """Batches in which something failed, and that nobody has called corrected or ignored yet."""
        return self.with_failures().exclude(triage_state__in=RESOLVED)

    def waiting(self) -> Self:
        """Unresolved ones that wait for somebody else."""
        return self.unresolved().filter(triage_state__in=WAITING)

    def looked_at_by(self, person: Person) -> Self:
        """The batches whose page this person opened, the last one first."""
        return self.filter(looks__person=person).order_by("-looks__at").annotate(looked_at=models.F("looks__at"))

    def submitted_on(self, day: date) -> Self:
        """Batches created on a day of the site's time zone, however many hours that day has."""
        start, end = bounds_of(day)
        return self.filter(submitted_at__gte=start, submitted_at__lt=end)

    def ended_on(self, day: date) -> Self:
        """Batches that finished on a day of the site's time zone."""
        start, end = bounds_of(day)
        return self.filter(ended_at__gte=start, ended_at__lt=end)

    def open_at(self, moment: datetime) -> Self:
        """Batches that were submitted before this moment and not finished at it; of those not finished yet, `running` ones.

        Those that run or took long are few, and all others ended within SLOW of their submission: three short reads of
        indexes.
        """
        runs = RUNS & models.Q(submitted_at__lt=moment)
        took_long = TOOK_LONG & models.Q(open_for__contains=moment)
        others = models.Q(
            submitted_at__gte=moment - SLOW, submitted_at__lt=moment, ended_at__gte=moment, ended_at__lt=moment + SLOW
        )
        return self.alias(open_for=OPEN_FOR).filter(runs | took_long | others)

    def due(self, now: datetime) -> Self:
        """Batches to ask about now and that nobody is asking about."""
        return self.filter(unclaimed(now), next_check_at__lte=now)

    def most_urgent_first(self, now: datetime) -> Self:
        """Those that somebody waits for before all others, then the longest overdue."""
        waited_for = ~models.Q(asked_by__in=[Source.CHECK, Source.DISCOVERY]) | models.Q(
            watched_at__gt=now - WATCH_LASTS
        )
        return self.order_by(models.Case(models.When(waited_for, 0), default=1), "next_check_at")

    def least_lately_asked_first(self) -> Self:
        """For probes: each is about another batch, lest one that is broken be taken for Amili's absence for ever."""
        return self.order_by(models.F("asked_at").asc(nulls_first=True), "next_check_at")

    def claim(self, batch_id: UUID, now: datetime) -> Batch | None:
        """Take the right to ask about a batch that is due; for one caller only, until it is done or LEASE is over.

        `now` is the claim's mark: who holds it gives it back by recording an answer as asked at that time.
        """
        claimed = self.raw(
            """
            UPDATE batches_batch SET claimed_until = %(until)s
            FROM set_config('synchronous_commit', 'off', true) -- forgotten in a crash of the database, it is due again
            WHERE id = %(id)s AND next_check_at <= %(now)s AND (claimed_until IS NULL OR claimed_until <= %(now)s)
            RETURNING id, outcome, organization_id, digest, changed_at, first_seen_at, asked_at, asked_by, watched_at,
                trouble, trouble_since, revision
            """,
            {"id": batch_id, "now": now, "until": now + LEASE},
        )
        return next(iter(claimed), None)

    def confirm(self, claimed: Batch, asked_at: datetime, next_check_at: datetime | None) -> bool:
        """Note that nothing has changed since, and give the claim back. False if anything was written meanwhile."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE batches_batch SET asked_at = %(asked_at)s, checked_at = %(asked_at)s, claimed_until = NULL,
                    next_check_at = %(next_check_at)s, asked_by = 'check', revision = revision + 1
                FROM set_config('synchronous_commit', 'off', true) -- as above: nobody waits for the disk
                WHERE id = %(id)s AND revision = %(revision)s AND claimed_until = %(until)s
                    AND watched_at IS NOT DISTINCT FROM %(watched_at)s -- else it is to be asked about sooner
                """,
                {
                    "id": claimed.pk,
                    "revision": claimed.revision,
                    "watched_at": claimed.watched_at,
                    "until": asked_at + LEASE,
                    "asked_at": asked_at,
                    "next_check_at": next_check_at,
                },
            )
            return bool(cursor.rowcount)

    def put_back(self, batch_id: UUID, asked_at: datetime, until: datetime) -> None:
        """Give a claim back without having asked: another time will do, unless somebody has wished for it meanwhile."""
        ours = self.filter(pk=batch_id, claimed_until=asked_at + LEASE)
        ours.filter(next_check_at__gt=asked_at).update(claimed_until=None)
        ours.update(claimed_until=None, next_check_at=until)

    def make_due(self, batch_ids: Iterable[UUID], now: datetime, source: Source = Source.PERSON) -> None:
        """Note that somebody wants these asked about at once: again, where a question is under way and may be too old."""
        self.filter(pk__in=batch_ids).update(next_check_at=now, asked_by=source, revision=models.F("revision") + 1)

    def being_written(self) -> set[UUID]:
        """Those whose answer is being recorded, which holds them for seconds: what comes of it is as fresh as can be."""
        with transaction.atomic():
            free = set(self.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
        return set(self.values_list("pk", flat=True)) - free

    def take_up_again(self, now: datetime) -> None:
        """Amili is back: ask at once about what it was asked in vain."""
        in_vain = [Trouble.UNREACHABLE, Trouble.BUSY, Trouble.KEYS_REFUSED]
        self.filter(trouble__in=in_vain, next_check_at__gt=now).update(next_check_at=now)

    def follow(self, batch_ids: Iterable[UUID], now: datetime, source: Source = Source.PERSON) -> list[UUID]:
        """Start to follow the batches that are not followed yet; returns their ids."""
        wanted = sorted(set(batch_ids))  # in one order for all, lest two who begin the same ones wait for each other
        known = set(self.filter(pk__in=wanted).values_list("pk", flat=True))
        new = [batch_id for batch_id in wanted if batch_id not in known]
        if not new:
            return []
        seen = TimelineEntry.Kind.FIRST_SEEN
        with transaction.atomic():
            self.bulk_create(
                [self.model(pk=batch_id, first_seen_at=now, next_check_at=now, asked_by=source) for batch_id in new],
                ignore_conflicts=True,
            )
            TimelineEntry.objects.bulk_create(
                [TimelineEntry(batch_id=batch_id, at=now, kind=seen, source=source) for batch_id in new],
                ignore_conflicts=True,
            )
        return new

    def given_up(self) -> Self:
        """Batches that Amili never told us of, and that we no longer ask about."""
        return self.filter(checked_at__isnull=True, next_check_at__isnull=True)

    def renew_watch(self, batch: Batch, now: datetime) -> bool:
        """Note that somebody has this batch's page open, at most every WATCH_RENEWAL. True if it was noted."""
        if not batch.is_followed or (batch.watched_at and batch.watched_at > now - WATCH_RENEWAL):
            return False
        # Who comes to look need not wait for the slow pace of a batch that nobody watched; after a failure all wait.
        is_slow = not is_watched(batch.watched_at, now) and not batch.trouble
        sooner = {"next_check_at": Least("next_check_at", now)} if is_slow else {}
        # While an answer is being recorded the row is locked: a page does not wait for that.
        free = self.filter(pk=batch.pk, next_check_at__isnull=False).select_for_update(skip_locked=True)
        with transaction.atomic():
            return self.filter(pk__in=free.values("pk")).update(watched_at=now, **sooner) == 1

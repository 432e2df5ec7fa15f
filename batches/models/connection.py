"""How we stand with Amili as a whole: whose turn it is to ask, and whether it answers at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction

FAILURES_TO_OPEN = 3
"""How many different questions in a row must fail before we take Amili for away, and not a single batch for broken."""

PROBE_LEASE = timedelta(seconds=30)
"""For how long one probe keeps all others from going out: longer than an answer may take."""

PROBE_PAUSES = [timedelta(seconds=seconds) for seconds in (5, 10, 20, 30)]
LONGEST_PAUSE = timedelta(minutes=15)

AWAY_AFTER = timedelta(seconds=30)
"""Failing for this long means away too, however few questions there were to fail."""


class Turn(NamedTuple):
    """The right to send one request, from `at` on. A probe finds out whether Amili is back."""

    at: datetime
    is_probe: bool
    was_failing: bool


class ConnectionQuerySet(models.QuerySet["Connection"]):
    """What all processes do to the one row, each in one statement or under its lock."""

    def as_it_stands(self) -> Connection:
        """The row, or an empty one where nothing has been asked yet; with `pulse_at`, the last sign of life of a worker."""
        query = """
            SELECT one.id, COALESCE(failing, '{}') AS failing, COALESCE(probes, 0) AS probes, failing_since, opened_at,
                open_until, token_fetched_at, token_ends_at, (SELECT max(seen_at) FROM batches_worker) AS pulse_at
            FROM (VALUES (1)) AS one (id) LEFT JOIN batches_connection AS row ON row.id = one.id
        """
        return self.raw(query)[0]

    def take_turn(self, now: datetime, *, apart: timedelta, patience: timedelta) -> Turn | None:
        """The next free turn within `patience`, if one may be had. While Amili is away, one probe at a time gets one.

        Times that are further away than any can be are of a clock that has been put back since, and bind nobody.
        """
        given: dict[str, Any] = {"now": now, "apart": apart, "patience": patience}
        given |= {"lease": PROBE_LEASE, "longest": LONGEST_PAUSE}
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO batches_connection AS row (id, next_turn_at, failing, probes)
                VALUES (1, %(now)s + %(apart)s, '{}', 0)
                ON CONFLICT (id) DO UPDATE SET
                    next_turn_at = %(apart)s + CASE
                        WHEN row.next_turn_at BETWEEN %(now)s AND %(now)s + %(longest)s THEN row.next_turn_at
                        ELSE %(now)s END,
                    open_until = CASE WHEN row.open_until IS NOT NULL THEN %(now)s + %(lease)s END
                WHERE (row.open_until > %(now)s AND row.open_until <= %(now)s + %(longest)s) IS NOT TRUE
                    AND (row.next_turn_at > %(now)s + %(patience)s AND row.next_turn_at <= %(now)s + %(longest)s) IS NOT TRUE
                RETURNING next_turn_at - %(apart)s, open_until IS NOT NULL, failing_since IS NOT NULL
                """,
                given,
            )
            row = cursor.fetchone()
        return Turn(*row) if row else None

    def away(self) -> Self:
        """The row, while we take Amili for away."""
        return self.filter(open_until__isnull=False)

    def silent(self, now: datetime) -> Self:
        """The row, while not even a probe may go out."""
        return self.filter(open_until__gt=now, open_until__lte=now + LONGEST_PAUSE)

    def note_success(self) -> bool:
        """Amili answers: whatever had failed before is over. True for who ends a time in which we took it for away."""
        over: dict[str, Any] = {
            "failing_since": None,
            "failing": [],
            "opened_at": None,
            "open_until": None,
            "probes": 0,
        }
        if self.away().update(**over):
            return True
        self.filter(failing_since__isnull=False).update(**over)
        return False

    def let_one_through(self, now: datetime) -> None:
        """The next probe need not wait."""
        self.away().update(open_until=now)

    def note_failure(self, subject: str, now: datetime, *, is_probe: bool, wait: timedelta) -> None:
        """A question about `subject` failed. Where different ones fail in a row, nothing but a probe goes out for a while."""
        with transaction.atomic():
            row = self.select_for_update().get_or_create(pk=1)[0]
            row.failing_since = row.failing_since or now
            row.failing = [*dict.fromkeys([*row.failing, subject])][:FAILURES_TO_OPEN]
            if row.open_until and not is_probe:
                # Sent before it was known that Amili is away: no news but how long Amili wants us to wait.
                row.open_until = max(row.open_until, now + min(wait, LONGEST_PAUSE))
            elif row.open_until or len(row.failing) == FAILURES_TO_OPEN:
                row.opened_at = row.opened_at or now
                pause = PROBE_PAUSES[min(row.probes, len(PROBE_PAUSES) - 1)]
                row.open_until = now + min(max(pause, wait), LONGEST_PAUSE)
                row.probes += 1
            row.save()

    def note_token(self, ends_at: datetime | None, now: datetime) -> None:
        """There is a new token, or none any more."""
        fetched = {"token_fetched_at": now} if ends_at else {}
        self.update_or_create(pk=1, defaults={"token_ends_at": ends_at, **fetched})


class Connection(models.Model):
    """How we stand with Amili: one row that all processes share."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    next_turn_at = models.DateTimeField(null=True)  # when the next request may go out

    failing_since = models.DateTimeField(null=True)  # the first failure since the last answer
    failing = ArrayField(models.TextField(), default=list)  # what was asked about, each once
    opened_at = models.DateTimeField(null=True)  # since when we take Amili for away
    open_until = models.DateTimeField(null=True)  # when the next probe may go out
    probes = models.PositiveIntegerField(default=0)  # how many have failed

    token_fetched_at = models.DateTimeField(null=True)
    token_ends_at = models.DateTimeField(null=True)  # empty: there is none

    objects = ConnectionQuerySet.as_manager()
    pulse_at: datetime | None  # of `as_it_stands` alone

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_connection")]

    def __str__(self) -> str:
        return "Amili"

    def away_since(self, now: datetime) -> datetime | None:
        """Since when nothing usable has come from Amili, if that is not just a moment or a single batch."""
        is_away = self.opened_at or (self.failing_since and now - self.failing_since > AWAY_AFTER)
        return self.failing_since if is_away else None

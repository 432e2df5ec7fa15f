"""What went over the wire to Amili, minute by minute and kind by kind; and the signs of life of those who work here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from batches.words import Trouble

KEPT_FOR = timedelta(days=7)
PULSE = timedelta(seconds=5)
PULSE_LASTS = timedelta(seconds=30)
"""A worker counts as here for this long after its last sign of life."""


class TrafficQuerySet(models.QuerySet["Traffic"]):
    """Counts, and the newest of each kind."""

    def add(self, kind: str, now: datetime, *, trouble: str = "", detail: str = "", request_id: str = "") -> None:
        """Count one request; one that failed leaves word of why."""
        news: dict[str, str | int | datetime | None] = {
            "kind": kind,
            "minute": now.replace(second=0, microsecond=0),
            "failures": 1 if trouble else 0,
            "succeeded_at": None if trouble else now,
            "failed_at": now if trouble else None,
            "trouble": trouble,
            "detail": detail,
            "request_id": request_id if trouble else "",
        }
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO batches_traffic AS row
                    (kind, minute, requests, failures, succeeded_at, failed_at, trouble, detail, request_id)
                VALUES (%(kind)s, %(minute)s, 1, %(failures)s, %(succeeded_at)s, %(failed_at)s,
                    %(trouble)s, %(detail)s, %(request_id)s)
                ON CONFLICT (kind, minute) DO UPDATE SET
                    requests = row.requests + 1,
                    failures = row.failures + EXCLUDED.failures,
                    succeeded_at = COALESCE(EXCLUDED.succeeded_at, row.succeeded_at),
                    failed_at = COALESCE(EXCLUDED.failed_at, row.failed_at),
                    trouble = CASE EXCLUDED.failures WHEN 0 THEN row.trouble ELSE EXCLUDED.trouble END,
                    detail = CASE EXCLUDED.failures WHEN 0 THEN row.detail ELSE EXCLUDED.detail END,
                    request_id = CASE EXCLUDED.failures WHEN 0 THEN row.request_id ELSE EXCLUDED.request_id END
                """,
                news,
            )

    def last_successes(self) -> Self:
        """Of each kind, the minute of its last success."""
        return self.filter(succeeded_at__isnull=False).order_by("kind", "-minute").distinct("kind")

    def last_failures(self) -> Self:
        """Of each kind, the minute of its last failure, with the last of its reasons."""
        return self.filter(failed_at__isnull=False).order_by("kind", "-minute").distinct("kind")

    def since(self, start: datetime) -> Self:
        return self.filter(minute__gte=start)

    def by_minute(self) -> dict[datetime, tuple[int, int]]:
        """How many requests of all kinds went out in each minute, and how many of them failed."""
        counted = self.values_list("minute").annotate(models.Sum("requests"), models.Sum("failures"))
        return {minute: (requests, failures) for minute, requests, failures in counted}

    def forget_old(self, now: datetime) -> None:
        self.filter(minute__lt=now - KEPT_FOR).delete()


class Traffic(models.Model):
    """The requests of one kind in one minute."""

    class Kind(models.TextChoices):
        TOKEN = "token", _("Sign-in")
        BATCH = "batch", _("Batches")
        LIST = "list", _("Lists of batches")

    pk = models.CompositePrimaryKey("kind", "minute")
    kind = models.CharField(max_length=10, choices=Kind)
    minute = models.DateTimeField()
    requests = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=20, choices=Trouble, default=Trouble.NONE, blank=True)
    detail = models.TextField(default="", blank=True)
    request_id = models.TextField(default="", blank=True)

    objects = TrafficQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} {self.minute:%Y-%m-%d %H:%M}"


class WorkerQuerySet(models.QuerySet["Worker"]):
    """Signs of life."""

    def give_pulse(self, name: str, now: datetime) -> None:
        """Note that this worker has just taken a task out of the real queue; at most once a PULSE."""
        if not self.filter(name=name, seen_at__gt=now - PULSE).exists():
            self.update_or_create(name=name, defaults={"seen_at": now})

    def forget_old(self, now: datetime) -> None:
        self.filter(seen_at__lt=now - KEPT_FOR).delete()


class Worker(models.Model):
    """A worker and its last sign of life, given by a task that came through the real queue."""

    name = models.TextField(primary_key=True)
    seen_at = models.DateTimeField()

    objects = WorkerQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-seen_at"], name="worker_seen_last")]

    def __str__(self) -> str:
        return self.name

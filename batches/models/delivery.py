"""What came in at the webhook, and what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, connection, models, transaction
from django.utils.translation import gettext_lazy as _

KEPT_FOR = timedelta(days=30)
REFUSALS_A_MINUTE = 60
"""More are not kept: anybody can call, and nobody shall fill our table."""

_ONE_REFUSAL_AT_A_TIME = 0x616D696C69  # the number of an advisory lock


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """The log."""

    def record(self, delivery: Delivery) -> bool:
        """Keep what is acted upon. False if its key came before: then it is kept as a duplicate, and there is nothing to do.

        Of two at once the second waits here for the end of the first one's transaction, and is the first if that fails.
        """
        try:
            with transaction.atomic():
                delivery.save(force_insert=True)
        except IntegrityError:
            delivery.verdict, delivery.reason = Delivery.Verdict.DUPLICATE, ""
            delivery.save(force_insert=True)
            return False
        return True

    def record_refusal(self, delivery: Delivery) -> None:
        """Keep what was refused, unless too many were in the minute before."""
        lately = self.filter(verdict=Delivery.Verdict.REFUSED, at__gt=delivery.at - timedelta(minutes=1))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_REFUSAL_AT_A_TIME])
            if lately[:REFUSALS_A_MINUTE].count() < REFUSALS_A_MINUTE:
                delivery.save(force_insert=True)

    def newest_first(self) -> DeliveryQuerySet:
        return self.order_by("-at", "-id")

    def forget_old(self, now: datetime) -> None:
        self.filter(at__lt=now - KEPT_FOR).delete()


class Delivery(models.Model):
    """One call of the webhook. It holds ids and our verdict, never the secret, the signature or the body."""

    class Verdict(models.TextChoices):
        RUNG = "rung", _("Batch made due")
        NOTED = "noted", _("Noted, nothing to do")
        DUPLICATE = "duplicate", _("Came before")
        REFUSED = "refused", _("Refused")

    at = models.DateTimeField()
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.TextField(default="", blank=True)  # why it was refused or not acted upon, in one sentence
    event = models.TextField(default="", blank=True)  # Amili's word
    key = models.TextField(default="", blank=True)  # IdempotencyKey
    request_id = models.TextField(default="", blank=True)
    batch_id = models.UUIDField(null=True)
    organization_id = models.UUIDField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        indexes = [models.Index(fields=["-at", "-id"], name="delivery_newest_first")]
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(verdict__in=["rung", "noted"]) & ~models.Q(key=""),
                name="delivery_acted_upon_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.at:%Y-%m-%d %H:%M:%S}"

"""What is worth word to people who are not looking: what happened, who wants to hear of what, and what was sent to whom."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models, transaction
from django.utils.translation import gettext_lazy as _

from batches.models.batch import Batch
from batches.models.cause import Cause
from batches.pace import LEASE
from batches.words import AlertKind

KEPT_FOR = timedelta(days=90)

PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240)]
"""Before each further try of a message; one more that fails is the last. Each is longer than LEASE."""

_LONGEST_WAIT = timedelta(days=2)  # a pause and a night's quiet hours, with room to spare
_ONE_CLAIM_AT_A_TIME = 4_000_000_403  # the number of an advisory lock


class Watch(models.Model):
    """A person wants to hear when this batch is done; gone once it is."""

    pk = models.CompositePrimaryKey("person_id", "batch_id")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="watches", db_index=False)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="watches")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.person_id} {self.batch_id}"


class Channel(models.TextChoices):
    """The ways on which word reaches people."""

    MAIL = "mail", _("E-mail")
    WEBHOOK = "webhook", _("Webhook")


class Shape(models.TextChoices):
    """What the receiver of a webhook understands."""

    PLAIN = "plain", _("Plain JSON")
    SLACK = "slack", _("Slack")
    TEAMS = "teams", _("Microsoft Teams")


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def only_watched() -> list[str]:
    """Who presses the button wants to hear of it; everything else has to be asked for."""
    return [AlertKind.WATCHED.value]


class AlertWishes(models.Model):
    """What a person wants to hear of, how and when. Who has none has the defaults."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="alert_wishes"
    )
    kinds = ArrayField(models.CharField(max_length=20, choices=AlertKind), default=only_watched, blank=True)
    share_limit = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )  # percent of a day's objects of an organisation that failed
    wants_digest = models.BooleanField(default=False)
    wants_mail = models.BooleanField(default=True)
    webhook_url = models.URLField(max_length=500, default="", blank=True)
    webhook_shape = models.CharField(max_length=10, choices=Shape, default=Shape.PLAIN)
    webhook_secret = models.CharField(max_length=64, default=new_secret, editable=False)  # signs what goes there
    quiet_from = models.TimeField(null=True, blank=True)  # on the site's clock; both or neither
    quiet_until = models.TimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_both_ends",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id}"


class AlertQuerySet(models.QuerySet["Alert"]):
    """Reads, each with the name of what it is for."""

    def still_open(self) -> Self:
        return self.filter(closed_at__isnull=True)

    def forget_old(self, now: datetime) -> None:
        """Those that are over: of one that is open the next look would make another."""
        self.filter(closed_at__lt=now - KEPT_FOR).delete()


class Alert(models.Model):
    """Something that happened; `closed_at` when it is over. It may begin again, and is open again then."""

    kind = models.CharField(max_length=20, choices=AlertKind)
    key = models.TextField()  # names it among all of its kind: a batch, a cause, an organisation on a day …
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # what it is about
    batch = models.ForeignKey(Batch, models.CASCADE, null=True, related_name="+")
    cause = models.ForeignKey(Cause, models.CASCADE, null=True, related_name="+")
    organization_id = models.UUIDField(null=True)
    person = models.ForeignKey(  # whom alone it concerns
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+"
    )
    numbers = models.JSONField(default=dict)  # counts, seconds, percents and times of day; never a text from Amili

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="alert_opens_once")]
        indexes = [models.Index(fields=["kind"], name="alert_open", condition=models.Q(closed_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class MessageQuerySet(models.QuerySet["Message"]):
    """What is to be sent, and who sends it."""

    def due(self, now: datetime) -> Self:
        """What is to be tried, of each kind in the order in which it was put: no all clear comes before its alert.

        A time further away than any can be is of a clock that was put back, and binds nobody.
        """
        longest = now + _LONGEST_WAIT
        waiting = Message.objects.filter(next_try_at__isnull=False).values("person", "channel", "kind")
        is_test = models.Q(kind="")
        in_order = is_test | models.Q(pk__in=waiting.values(first=models.Min("pk")))
        return self.filter(models.Q(next_try_at__lte=now) | models.Q(next_try_at__gt=longest), in_order)

    def under_way(self, now: datetime) -> Self:
        """What somebody is sending; here too a time that is too far away binds nobody."""
        return self.filter(next_try_at__isnull=False, claimed_until__gt=now, claimed_until__lte=now + 2 * LEASE)

    def claim(self, channel: str, now: datetime) -> Message | None:
        """Take the right to try what is next on a channel, until it is done or LEASE is over.

        One at a time on each channel: a server that hangs holds one worker and not all, and holds up its own channel alone.
        What was tried least comes first: nobody's fresh word waits for further tries at a receiver that does not answer.
        The try counts from here, and its pause begins: one that is broken off waits for the next as long as one that fails.
        """
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_CLAIM_AT_A_TIME])
            on_channel = self.filter(channel=channel)
            if on_channel.under_way(now).exists():
                return None
            due = on_channel.due(now).select_related("person").select_for_update(of=("self",))
            if message := due.order_by("tries", "next_try_at", "pk").first():
                message.begin_try(now)
            return message

    def forget_old(self, now: datetime) -> None:
        self.filter(made_at__lt=now - KEPT_FOR).delete()


class Message(models.Model):
    """What was sent to a person on one channel, or is to be: the log of deliveries. Counts and links, no debtor data."""

    DIGEST = "digest"

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        GIVEN_UP = "given_up", _("Given up")

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="messages", db_index=False)
    channel = models.CharField(max_length=10, choices=Channel)
    kind = models.CharField(max_length=20, default="", blank=True)  # that of its alerts, or DIGEST; empty: a test
    subject = models.TextField()
    body = models.TextField()
    made_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)  # empty: nothing is left to try
    claimed_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    problem = models.TextField(default="", blank=True)  # of the last try, in our words

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="waiting", next_try_at__isnull=False)
                | (~models.Q(state="waiting") & models.Q(next_try_at__isnull=True)),
                name="message_waits_for_a_try",
            )
        ]
        indexes = [
            models.Index(fields=["person", "-made_at", "-id"], name="message_of_person"),  # a person's log
            models.Index(
                fields=["next_try_at"], name="message_due", condition=models.Q(next_try_at__isnull=False)
            ),  # what is to be sent
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.channel} {self.kind}"

    def begin_try(self, now: datetime) -> None:
        """For `claim` alone."""
        self.tries += 1
        self.claimed_until = now + LEASE
        self.next_try_at = now + PAUSES[min(self.tries, len(PAUSES)) - 1]
        self.save(update_fields=["tries", "claimed_until", "next_try_at"])


class Notice(models.Model):
    """An alert, or its end, that a person is to hear of, or has heard of."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="notices", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    is_over = models.BooleanField(default=False)  # all clear
    made_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)  # when it went into messages

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "person", "is_over"], name="noticed_once")]
        indexes = [
            models.Index(fields=["told_at", "person"], name="notice_told"),  # what is to be told, and what just was
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} {self.person_id}"


class Digest(models.Model):
    """The morning's word about the days before; a row for each morning on which it was made."""

    day = models.DateField(primary_key=True)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.day}"

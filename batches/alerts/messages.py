"""Puts messages for the channels that a person has; `sending` takes them from there."""

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from batches.models import AlertWishes, Channel, Message
from staff.models import Person


class Text(NamedTuple):
    """What a message says. Its links stand alone on their lines."""

    subject: str
    body: str


def wishes_of(person: Person) -> AlertWishes:
    """What this person wants to hear of; not saved yet, where they never said."""
    return getattr(person, "alert_wishes", None) or AlertWishes(person=person)


def mail_is_on() -> bool:
    """Whether the operator has said how mail leaves the house."""
    return settings.MAIL_IS_ON


def channels_of(person: Person) -> list[Channel]:
    """The ways on which word reaches this person."""
    wishes = wishes_of(person)
    mail = [Channel.MAIL] if wishes.wants_mail and person.email and mail_is_on() else []
    webhook = [Channel.WEBHOOK] if wishes.webhook_url and settings.ALERT_WEBHOOK_HOSTS else []
    return mail + webhook


def put(person: Person, text: Text, now: datetime, *, kind: str = "", not_before: datetime | None = None) -> None:
    """One message on each of the person's channels, to be sent at once or from some time on."""
    Message.objects.bulk_create(
        Message(
            person=person,
            channel=channel,
            kind=kind,
            subject=" ".join(text.subject.split()),  # a line break would begin another header
            body=text.body,
            made_at=now,
            next_try_at=not_before or now,
        )
        for channel in channels_of(person)
    )


def put_test(person: Person, now: datetime) -> None:
    """A message that shows the person whether messages arrive."""
    body = _("You asked for this test. What the Amili batch dashboard has to tell you arrives here.")
    put(person, Text(_("Test message"), body), now)

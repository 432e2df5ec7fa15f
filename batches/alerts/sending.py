"""Sends a message on its channel, tries again what may go better later, and gives up what will not."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from celery.exceptions import SoftTimeLimitExceeded
from django.utils.translation import gettext as _

from batches.alerts import mail, webhooks
from batches.alerts.messages import wishes_of
from batches.alerts.telling import quiet_until
from batches.alerts.trouble import NotSent
from batches.models import Channel, Message
from batches.models.alert import PAUSES

logger = logging.getLogger(__name__)

ROADS: Mapping[str, Callable[[Message], None]] = {
    Channel.MAIL: mail.send,
    Channel.WEBHOOK: webhooks.send,
}


def send(message: Message, now: datetime) -> None:
    """Try a message that was claimed, and note what became of it; in quiet hours leave it for their end.

    A worker that ends between the receiver's word and our note makes it go out twice: over SMTP nobody can do better than to
    give it the same Message-ID each time, by which mail programs tell the two for one.
    """
    is_test = not message.kind  # somebody sits and waits for it
    if not is_test and (later := quiet_until(wishes_of(message.person), now)):
        _note(message, next_try_at=later, tries=message.tries - 1)
        return
    try:
        _try(message)
    except NotSent as trouble:
        _note(message, **_after(trouble, message, now))
    else:
        _note(message, state=Message.State.SENT, sent_at=now, next_try_at=None, problem="")
        _hurry_after(message, now)


def _try(message: Message) -> None:
    if message.tries > len(PAUSES) + 1:
        raise NotSent(_("Each try was broken off."), is_final=True)
    try:
        ROADS[message.channel](message)
    except SoftTimeLimitExceeded:
        raise NotSent(_("It took too long.")) from None


def _after(trouble: NotSent, message: Message, now: datetime) -> dict[str, object]:
    if trouble.is_final or message.tries > len(PAUSES):
        return {"state": Message.State.GIVEN_UP, "next_try_at": None, "problem": str(trouble)}
    at = now + PAUSES[message.tries - 1]
    return {"next_try_at": quiet_until(wishes_of(message.person), at) or at, "problem": str(trouble)}


def _hurry_after(sent: Message, now: datetime) -> None:
    """Let no long pause go on where this one went out: the receiver answers again. All mail goes to one server.

    Not at once: what is turned down for itself would use up its tries while all else goes out.
    """
    soon = now + PAUSES[1]
    tried = Message.objects.filter(channel=sent.channel, tries__gt=0, next_try_at__gt=soon)
    same_receiver = tried if sent.channel == Channel.MAIL else tried.filter(person=sent.person)
    same_receiver.update(next_try_at=soon)


def _note(message: Message, **news: object) -> None:
    ours = Message.objects.filter(pk=message.pk, claimed_until=message.claimed_until)
    ours.update(claimed_until=None, **news)
    logger.info("message %s: try %s, %s", message.pk, message.tries, news.get("state", message.state))

"""Sends a message on its channel, tries again what may go better later, and gives up what will not."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from batches.alerts import mail, webhooks
from batches.alerts.trouble import NotSent
from batches.models import Channel, Message

logger = logging.getLogger(__name__)

PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240)]
"""Before each further try; one more that fails is the last."""

ROADS: Mapping[str, Callable[[Message], None]] = {
    Channel.MAIL: mail.send,
    Channel.WEBHOOK: webhooks.send,
}


def send(message: Message, now: datetime) -> None:
    """Try a message that was claimed, and note what became of it.

    A worker that ends between the receiver's word and our note makes it go out twice: over SMTP nobody can do better than to
    give it the same Message-ID each time, by which mail programs tell the two for one.
    """
    try:
        if message.tries > len(PAUSES) + 1:
            raise NotSent(_("Each try was broken off."), is_final=True)
        ROADS[message.channel](message)
    except NotSent as trouble:
        _note(message, **_after(trouble, message.tries, now))
    else:
        _note(message, state=Message.State.SENT, sent_at=now, next_try_at=None, problem="")


def _after(trouble: NotSent, tries: int, now: datetime) -> dict[str, object]:
    if trouble.is_final or tries > len(PAUSES):
        return {"state": Message.State.GIVEN_UP, "next_try_at": None, "problem": str(trouble)}
    return {"next_try_at": now + PAUSES[tries - 1], "problem": str(trouble)}


def _note(message: Message, **news: object) -> None:
    ours = Message.objects.filter(pk=message.pk, claimed_until=message.claimed_until)
    ours.update(claimed_until=None, **news)
    logger.info("message %s: try %s, %s", message.pk, message.tries, news.get("state", message.state))

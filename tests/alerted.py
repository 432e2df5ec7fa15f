"""What the tests of alerts have in common: a day, somebody who wants to hear of everything, and a tick of the engine."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from batches.alerts import looking, sending, telling
from batches.models import AlertWishes, Channel, Message
from batches.words import AlertKind
from staff.models import Person
from tests.answers import ORGANISATION, Json, of_today

OSLO = ZoneInfo("Europe/Oslo")
FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=OSLO)
MINUTE = timedelta(minutes=1)
CANARY = "Kari Canary 01017012345"
HOSTILE = f"{CANARY}\r\nBcc: evil@example.no\n<b>{CANARY}</b>\0\u202e=1+1"


def wish(person: Person, *kinds: AlertKind, **more: Any) -> AlertWishes:
    """What this person wants to hear of from now on."""
    defaults = {"kinds": [kind.value for kind in kinds], **more}
    return AlertWishes.objects.update_or_create(person=person, defaults=defaults)[0]


def tick(now: datetime) -> None:
    """What the workers do within a few seconds."""
    looking.look(now)
    telling.tell(now)
    send_due(now)


def send_due(now: datetime) -> None:
    for channel in Channel:
        while message := Message.objects.claim(channel, now):
            sending.send(message, now)


def batch(number: int, status: str = "SUCCESS", *, at: datetime, **more: Any) -> Json:
    """An answer about a batch that was created at some time, with debtor data in all its texts."""
    finished = None if status == "QUEUED" else (at + timedelta(seconds=5)).isoformat()
    given = {"createdAt": at.isoformat(), "finishedAt": finished, "organizationId": str(ORGANISATION)}
    return of_today(status, batchId=id_of(number), type=f"INVOICE {CANARY}", createdBy=CANARY, **{**given, **more})


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def failures(number: int, message: str = HOSTILE) -> list[Json]:
    return [{"objectIndex": index, "errors": [message]} for index in range(number)]

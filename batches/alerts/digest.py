"""The morning's message: the numbers of each day since the last working day, for those who want it."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from batches.alerts.messages import Text, put, wishes_of
from batches.alerts.telling import quiet_until
from batches.alerts.words import day_name, footer, link_to, number
from batches.days import is_working_day
from batches.models import Digest, Message
from batches.outcomes import Compared, DayNumbers, numbers_of
from batches.words import failed_share, organisation
from staff.models import Person

AT = time(7, 30)
UNTIL = time(12)
"""Who comes back later than this finds the numbers on the page."""

ONE_DAY = timedelta(days=1)


def make(now: datetime) -> None:
    """Put the digest of this morning, if it is time and nobody has."""
    local = timezone.localtime(now)
    if not (is_working_day(local.date()) and AT <= local.time() < UNTIL):
        return
    if Digest.objects.filter(day=local.date()).exists():
        return
    readers = list(_readers())
    # `visible_to` shows everybody the same as yet, and so does the text.
    text = _text(readers[0], local.date(), now) if readers else None
    # All at once: whoever is broken off has made nothing, and of two the second waits here for the first.
    with transaction.atomic():
        _digest, is_new = Digest.objects.get_or_create(day=local.date(), defaults={"made_at": now})
        if is_new and text:
            for person in readers:
                put(person, text, now, kind=Message.DIGEST, not_before=quiet_until(wishes_of(person), now))


def days_of(morning: date) -> list[date]:
    """From the last working day before this morning to the day before, the latest first."""
    days = [morning - ONE_DAY]
    while not is_working_day(days[-1]):
        days.append(days[-1] - ONE_DAY)
    return days


def _readers() -> Iterable[Person]:
    people = Person.objects.filter(is_active=True, alert_wishes__wants_digest=True)
    return people.select_related("alert_wishes")


def _text(person: Person, morning: date, now: datetime) -> Text:
    days = [numbers_of(day, now, person) for day in days_of(morning)]
    batches = sum(_count(day.batches) for day in days)
    subject = ngettext("Digest: %(n)s batch finished", "Digest: %(n)s batches finished", batches) % {
        "n": number(batches)
    }
    return Text(subject, "\n\n".join([*map(_paragraph, days), footer()]))


def _paragraph(day: DayNumbers) -> str:
    lines = [day_name(day.day) + (f" ({day.holiday})" if day.holiday else ""), *_lines(day)]
    return "\n".join([*lines, link_to("outcomes", day=day.day)])


def _lines(day: DayNumbers) -> Iterator[str]:
    """What finished, and of what there is any at all."""
    batches = _count(day.batches)
    yield ngettext("%(n)s batch finished", "%(n)s batches finished", batches) % {"n": number(batches)}
    if batches:
        yield gettext("%(succeeded)s objects succeeded, %(failed)s failed (%(share)s)") % {
            "succeeded": number(_count(day.succeeded)),
            "failed": number(_count(day.failed)),
            "share": failed_share(day.share.now or 0),
        }
    if unresolved := _count(day.unresolved):
        yield gettext("%(n)s still unresolved") % {"n": number(unresolved)}
    if stuck := _count(day.stuck):
        yield gettext("%(n)s stuck") % {"n": number(stuck)}
    if day.missing_senders:
        names = ", ".join(organisation(each.organization_id) for each in day.missing_senders)
        yield gettext("Missing: %(names)s") % {"names": names}


def _count(number: Compared) -> int:
    return int(number.now or 0)

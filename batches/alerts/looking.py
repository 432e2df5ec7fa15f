"""Compares what is so with the alerts that are open: opens what has begun, closes what is over, notes who is to hear of it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from batches.alerts.finding import FINDERS
from batches.alerts.messages import wishes_of
from batches.models import Alert, AlertWishes, Notice
from batches.words import AlertKind
from staff.models import Person

_ONE_AT_A_TIME = 4_000_000_402  # the number of an advisory lock


@contextmanager
def alone() -> Iterator[bool]:
    """A transaction for one worker at a time. False for any other: what it wanted to do is being done."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        yield cursor.fetchone()[0]


def look(now: datetime) -> None:
    """Bring the alerts up to date. May be done as often as anybody likes: an alert opens once and never again."""
    with alone() as is_mine:
        if not is_mine:
            return
        still_open = list(Alert.objects.still_open().only("kind", "key", "numbers"))
        for kind, find in FINDERS.items():
            open_before = {alert.key: alert for alert in still_open if alert.kind == kind}
            so_now = {alert.key: alert for alert in find(now)}
            _open(kind, [alert for key, alert in so_now.items() if key not in open_before], now)
            _close([alert for key, alert in open_before.items() if key not in so_now], now)


def _open(kind: AlertKind, found: Collection[Alert], now: datetime) -> None:
    if not found:
        return
    of_kind = Alert.objects.filter(kind=kind, key__in=[alert.key for alert in found])
    known = set(of_kind.values_list("key", flat=True))
    new = [alert for alert in found if alert.key not in known]
    for alert in new:
        alert.kind, alert.opened_at = kind, now
    Alert.objects.bulk_create(new)
    everybody = [wishes_of(person) for person in _people()] if new else []
    Notice.objects.bulk_create(
        Notice(alert=alert, person_id=wishes.person_id, made_at=now)
        for alert in new
        for wishes in everybody
        if wants(wishes, alert)
    )


def _close(over: Collection[Alert], now: datetime) -> None:
    """What ends before it was told is not told. The end of its day ends an alert without a word: nothing has changed."""
    if not over:
        return
    Alert.objects.filter(pk__in=[alert.pk for alert in over]).update(closed_at=now)
    today = f"{timezone.localdate(now)}"
    cleared = [alert for alert in over if alert.numbers.get("day", today) == today]
    notices = Notice.objects.filter(alert__in=cleared, is_over=False)
    notices.filter(told_at__isnull=True).delete()
    Notice.objects.bulk_create(
        Notice(alert_id=notice.alert_id, person_id=notice.person_id, is_over=True, made_at=now) for notice in notices
    )


def _people() -> Collection[Person]:
    return Person.objects.filter(is_active=True).select_related("alert_wishes")


def wants(wishes: AlertWishes, alert: Alert) -> bool:
    """Whether somebody with these wishes is to hear of this alert."""
    if alert.kind not in wishes.kinds or alert.person_id not in {None, wishes.person_id}:
        return False
    return alert.kind != AlertKind.SHARE or bool(alert.numbers["limit"] == wishes.share_limit)

"""Compares what is so with the alerts that are open: opens what has begun, closes what is over, notes who is to hear of it."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from batches.alerts.finding import FINDERS
from batches.alerts.messages import wishes_of
from batches.fingerprint import GROUPING
from batches.models import Alert, AlertWishes, Notice, Watch
from batches.words import AlertKind
from staff.models import Person

logger = logging.getLogger(__name__)

BEGIN_AGAIN = {AlertKind.FAILED, AlertKind.NEW_CAUSE, AlertKind.SHARE, AlertKind.STUCK}
"""Of the other kinds an alert begins once: its key says when."""

REST = timedelta(hours=1)
"""After its end, before an alert begins again: a share that dances around its limit does not make word all day."""

_ONE_AT_A_TIME = 4_000_000_402  # the number of an advisory lock


@contextmanager
def alone() -> Iterator[bool]:
    """A transaction for one worker at a time. False for any other: what it wanted to do is being done."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        yield cursor.fetchone()[0]


def each_alone[T](items: Iterable[T], do: Callable[[T], None]) -> None:
    """Do something with each of these, alone. One that fails is undone and raised at the end, and keeps no other back."""
    faults = []
    for item in items:
        try:
            with alone() as is_mine:
                if is_mine:
                    do(item)
        except SoftTimeLimitExceeded:
            raise
        except Exception as fault:
            logger.exception("alerts of %s", item)
            faults.append(fault)
    if faults:
        raise ExceptionGroup("alerts", faults)


def look(now: datetime) -> None:
    """Bring the alerts up to date. May be done as often as anybody likes: what is open is not opened twice."""
    each_alone(FINDERS, partial(_look, now=now))


def _look(kind: AlertKind, now: datetime) -> None:
    still_open = Alert.objects.still_open().filter(kind=kind).only("kind", "key", "numbers")
    open_before = {alert.key: alert for alert in still_open}
    so_now = {alert.key: alert for alert in FINDERS[kind](now)}
    _open(kind, [alert for key, alert in so_now.items() if key not in open_before], now)
    _close([alert for key, alert in open_before.items() if key not in so_now], now)
    if kind == AlertKind.WATCHED:
        _end_watches(so_now.values())


def _open(kind: AlertKind, found: Collection[Alert], now: datetime) -> None:
    done = _done(kind, found, now) if found else set()
    begun = [alert for alert in found if alert.key not in done]
    if not begun:
        return
    for alert in begun:
        alert.kind, alert.opened_at = kind, now
    Alert.objects.bulk_create(
        begun,
        update_conflicts=True,
        unique_fields=["kind", "key"],
        update_fields=["opened_at", "closed_at", "numbers"],
    )
    _note(begun, now)


def _done(kind: AlertKind, found: Collection[Alert], now: datetime) -> set[str]:
    """The keys of those that do not begin, since they are over: for good, or not for long enough."""
    over = Alert.objects.filter(kind=kind, key__in=[alert.key for alert in found])
    if kind in BEGIN_AGAIN:
        over = over.filter(closed_at__gt=now - REST, closed_at__lte=now)  # later: of a clock that was put back
    return set(over.values_list("key", flat=True))


def _note(begun: Collection[Alert], now: datetime) -> None:
    """Who is to hear of what has begun; not who has heard of it before, and not yet of the end between."""
    noted = Notice.objects.filter(alert__in=begun)
    untold_end = noted.filter(alert=OuterRef("alert"), person=OuterRef("person"), is_over=True, told_at__isnull=True)
    noted.filter(~Exists(untold_end), is_over=False).delete()
    noted.filter(is_over=True).delete()
    everybody = [wishes_of(person) for person in _people()]
    Notice.objects.bulk_create(
        (
            Notice(alert=alert, person_id=wishes.person_id, made_at=now)
            for alert in begun
            for wishes in everybody
            if wants(wishes, alert)
        ),
        ignore_conflicts=True,  # of those who have heard
    )


def _end_watches(told: Iterable[Alert]) -> None:
    """What a watch waited for has come."""
    Watch.objects.filter(pk__in=[(alert.person_id, alert.batch_id) for alert in told]).delete()


def _close(over: Collection[Alert], now: datetime) -> None:
    """What ends before it was told is not told. Where nothing has changed but the day or the grouping, there is no word."""
    if not over:
        return
    ended = Alert.objects.filter(pk__in=[alert.pk for alert in over])
    ended.update(closed_at=now)
    today = f"{timezone.localdate(now)}"
    regrouped = set(ended.filter(cause__grouping__lt=GROUPING, cause__batch_count=0).values_list("pk", flat=True))
    cleared = [alert for alert in over if alert.numbers.get("day", today) == today and alert.pk not in regrouped]
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

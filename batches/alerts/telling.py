"""Makes messages of what people are to hear of: one of a kind at a time, and not in their quiet hours."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.utils import timezone

from batches.alerts import words
from batches.alerts.looking import alone, wants
from batches.alerts.messages import put, wishes_of
from batches.models import Alert, AlertWishes, Batch, Cause, Notice
from batches.words import AlertKind
from staff.models import Person

WINDOW = timedelta(minutes=15)
"""The first of a kind is told at once; what comes within this time after it is told together at its end."""


_TEXTS = [
    *(f"alert__batch__{field}" for field in ("type", "status", "created_by", "odd_fields", "trouble_detail")),
    *(f"alert__cause__{field}" for field in ("template", "example", "advice")),
]
"""Nothing of this is told to anybody."""


def tell(now: datetime) -> None:
    """Put messages for everybody who is to hear of something, and is not to be left in peace."""
    with alone() as is_mine:
        if not is_mine:
            return
        waiting = Notice.objects.filter(told_at__isnull=True).values("person")
        for person in Person.objects.filter(is_active=True, pk__in=waiting).select_related("alert_wishes"):
            if quiet_until(wishes_of(person), now) is None:
                _tell(person, now)


def quiet_until(wishes: AlertWishes, now: datetime) -> datetime | None:
    """The end of the person's quiet hours, by the site's clock; None outside of them."""
    start, end = wishes.quiet_from, wishes.quiet_until
    local = timezone.localtime(now)
    if start is None or end is None or not _is_between(start, local.time(), end):
        return None
    day = local.date() if local.time() < end else local.date() + timedelta(days=1)
    return timezone.make_aware(datetime.combine(day, end))


def _is_between(start: time, at: time, end: time) -> bool:
    return start <= at < end if start <= end else at >= start or at < end


def _tell(person: Person, now: datetime) -> None:
    untold = Notice.objects.filter(person=person, told_at__isnull=True).select_related("alert__batch", "alert__cause")
    untold = untold.defer(*_TEXTS)
    groups: defaultdict[tuple[str, bool], list[Notice]] = defaultdict(list)
    for notice in untold.order_by("alert__opened_at", "alert"):
        groups[notice.alert.kind, notice.is_over].append(notice)
    for (kind, is_over), notices in groups.items():
        if _was_told_lately(person, kind, is_over, now):
            continue
        alerts = _for(person, [notice.alert for notice in notices])
        if alerts:
            put(person, words.told(AlertKind(kind), alerts, is_over=is_over), now, kind=kind)
        Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(told_at=now)


def _was_told_lately(person: Person, kind: str, is_over: bool, now: datetime) -> bool:
    of_kind = Notice.objects.filter(person=person, alert__kind=kind, is_over=is_over)
    return of_kind.filter(told_at__gt=now - WINDOW).exists()


def _for(person: Person, alerts: Iterable[Alert]) -> list[Alert]:
    """Those that the person still wants to hear of, and that are about what they may see."""
    wanted = [alert for alert in alerts if wants(wishes_of(person), alert)]
    batches = Batch.objects.visible_to(person).filter(pk__in={alert.batch_id for alert in wanted})
    causes = Cause.objects.visible_to(person).filter(pk__in={alert.cause_id for alert in wanted})
    visible = {None, *batches.values_list("pk", flat=True), *causes.values_list("pk", flat=True)}
    return [alert for alert in wanted if alert.batch_id in visible and alert.cause_id in visible]

"""Makes messages of what people are to hear of: one of a kind at a time, and not in their quiet hours."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta
from functools import partial

from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from batches.alerts import words
from batches.alerts.looking import each_alone, wants
from batches.alerts.messages import put, wishes_of
from batches.models import Alert, AlertWishes, Batch, Cause, Message, Notice
from batches.words import AlertKind
from staff.models import Person

WINDOW = timedelta(minutes=15)
"""The first of a kind is told at once; what comes within this time after it is told together at its end."""


_TEXTS = [
    *(f"batch__{field}" for field in ("type", "status", "created_by", "odd_fields", "trouble_detail")),
    *(f"cause__{field}" for field in ("template", "example", "advice")),
]
"""Nothing of this is told to anybody."""


def tell(now: datetime) -> None:
    """Put messages for everybody who is to hear of something, and is not to be left in peace."""
    waiting = Notice.objects.filter(told_at__isnull=True).values("person")
    people = Person.objects.filter(is_active=True, pk__in=waiting).values_list("pk", flat=True)
    each_alone(list(people), partial(_tell, now=now))


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


def _tell(person_id: int, now: datetime) -> None:
    person = Person.objects.select_related("alert_wishes").get(pk=person_id)
    if quiet_until(wishes_of(person), now):
        return
    untold = Notice.objects.filter(person=person, told_at__isnull=True).select_related("alert")
    groups: defaultdict[tuple[str, bool], list[Notice]] = defaultdict(list)
    for notice in untold:
        groups[notice.alert.kind, notice.is_over].append(notice)
    for (kind, is_over), notices in groups.items():
        if not _was_told_lately(person, kind, is_over, now):
            _tell_together(person, AlertKind(kind), notices, now, is_over=is_over)


def _tell_together(
    person: Person, kind: AlertKind, notices: Collection[Notice], now: datetime, *, is_over: bool
) -> None:
    """One message about alerts of one kind, of which no more are read whole than it names."""
    alerts = _for(person, [notice.alert for notice in notices])
    if kind == AlertKind.FAILED and not is_over:
        alerts = _not_told_as_watched(person, alerts)
    if alerts:
        put(person, words.told(kind, _first(alerts), len(alerts), is_over=is_over), now, kind=kind)
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(told_at=now)


def _not_told_as_watched(person: Person, alerts: Collection[Alert]) -> list[Alert]:
    """Without those of which the person hears since they watch the batch."""
    watched = Notice.objects.filter(person=person, alert__kind=AlertKind.WATCHED, alert__batch=OuterRef("batch"))
    same = Alert.objects.filter(
        Exists(watched.filter(made_at__gte=OuterRef("opened_at"))), pk__in=[alert.pk for alert in alerts]
    )
    told = set(same.values_list("pk", flat=True))
    return [alert for alert in alerts if alert.pk not in told]


def _first(alerts: Iterable[Alert]) -> list[Alert]:
    """Those that a message names, with what it says of them: of causes those with most rows."""
    whole = Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).select_related("batch", "cause").defer(*_TEXTS)
    most_first = F("cause__row_count").desc(nulls_last=True)
    return list(whole.order_by(most_first, "organization_id", "opened_at", "pk")[: words.MOST_LINES])


def _was_told_lately(person: Person, kind: str, is_over: bool, now: datetime) -> bool:
    """A time to come is of a clock that was put back, and mutes nobody; nor does what was not worth a message."""
    of_kind = Notice.objects.filter(person=person, alert__kind=kind, is_over=is_over)
    message = Message.objects.filter(person=person, kind=kind, made_at=OuterRef("told_at"))
    return of_kind.filter(Exists(message), told_at__gt=now - WINDOW, told_at__lte=now).exists()


def _for(person: Person, alerts: Iterable[Alert]) -> list[Alert]:
    """Those that the person still wants to hear of, and that are about what they may see."""
    wanted = [alert for alert in alerts if wants(wishes_of(person), alert)]
    batches = Batch.objects.visible_to(person).filter(pk__in={alert.batch_id for alert in wanted})
    causes = Cause.objects.visible_to(person).filter(pk__in={alert.cause_id for alert in wanted})
    visible = {None, *batches.values_list("pk", flat=True), *causes.values_list("pk", flat=True)}
    return [alert for alert in wanted if alert.batch_id in visible and alert.cause_id in visible]

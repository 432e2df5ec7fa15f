"""Finds what is so now and worth an alert: all that is recent, and of what is older that which has an alert open.

What has no alert in the list any more is over.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from batches import rhythm
from batches.models import (
    Alert,
    AlertWishes,
    Batch,
    Cause,
    Connection,
    Discovery,
    OutcomeDay,
    Walk,
    Watch,
)
from batches.rhythm import Missing
from batches.words import FINISHED, AlertKind, Outcome

RECENT = timedelta(hours=24)
"""By Amili's own times, so that neither a first start nor a long backfill tells of what is long past."""

AWAY_FOR = timedelta(minutes=15)
FEWEST_OBJECTS = 50
"""Of fewer objects no share is worth an alert: one of two that failed is half of them."""


def watched(now: datetime) -> list[Alert]:
    """Takes the watches away that come to their end: the batch is finished, or Amili is no longer asked about it."""
    is_done = Q(batch__outcome__in=FINISHED) | Q(batch__next_check_at__isnull=True)
    ended = list(Watch.objects.filter(is_done).select_related("batch"))
    Watch.objects.filter(pk__in=[watch.pk for watch in ended]).delete()
    return [
        Alert(
            key=f"{watch.batch_id}:{watch.person_id}:{watch.at.isoformat()}",
            closed_at=now,  # there is nothing to be over
            batch=watch.batch,
            organization_id=watch.batch.organization_id,
            person_id=watch.person_id,
        )
        for watch in ended
    ]


def failed(now: datetime) -> list[Alert]:
    """Batches of which nothing went through, and that nobody has called corrected or ignored."""
    unresolved = Batch.objects.unresolved().filter(outcome=Outcome.FAILED).values_list("pk", "organization_id")
    lately = unresolved.filter(ended_at__gte=now - RECENT)
    told = unresolved.filter(pk__in=_open(AlertKind.FAILED).values("batch"))
    return [_of_batch(batch_id, organization_id) for batch_id, organization_id in {*lately, *told}]


def new_causes(now: datetime) -> list[Alert]:
    """Causes that were never seen before; not those that a new way of grouping has given another name."""
    unresolved = Cause.objects.occurring().unresolved().filter(replaced_by__isnull=True, replaces__isnull=True)
    since = now - RECENT
    # What was first seen since was last seen since, by which there is an index.
    lately = unresolved.filter(last_seen_at__gte=since, first_seen_at__gte=since).values_list("pk", flat=True)
    told = unresolved.filter(pk__in=_open(AlertKind.NEW_CAUSE).values("cause")).values_list("pk", flat=True)
    return [Alert(key=f"{cause_id}", cause_id=cause_id) for cause_id in {*lately, *told}]


def shares(now: datetime) -> list[Alert]:
    """Organisations of whose objects of today too many failed, for each limit that somebody has set."""
    day = timezone.localdate(now)
    wanted = AlertWishes.objects.filter(kinds__contains=[AlertKind.SHARE], person__is_active=True)
    limits = set(wanted.values_list("share_limit", flat=True))
    return [
        Alert(
            key=f"{organization_id}:{day}:{limit}",
            organization_id=organization_id,
            numbers={"day": f"{day}", "limit": limit, "failed": failed, "objects": total},
        )
        for organization_id, failed, total in (_objects_of(day) if limits else ())
        for limit in limits
        if total >= FEWEST_OBJECTS and 100 * failed >= limit * total
    ]


def _objects_of(day: date) -> Iterable[tuple[UUID, int, int]]:
    """Of each organisation how many objects failed, and how many there are."""
    by_organization = OutcomeDay.objects.filter(day=day).values("organization_id")
    sums = by_organization.annotate(bad=Sum("failed"), total=Sum(F("failed") + F("succeeded")))
    return sums.values_list("organization_id", "bad", "total")


def stuck(now: datetime) -> list[Alert]:
    """Batches that run too long, by word of Amili: what it has not been asked since may be finished."""
    return [
        _of_batch(batch.pk, batch.organization_id, usually=_seconds(batch.usually_within))
        for batch in rhythm.stuck(now, Batch.objects.all())
        if batch.limit and batch.checked_at and batch.checked_at - batch.submitted_at > batch.limit
    ]


def missing(now: datetime) -> list[Alert]:
    """Organisations that have not sent what they usually send by this time; new ones only where we would know of it."""
    found = rhythm.missing(timezone.localdate(now), now)
    if not found:
        return []
    told = set(_open(AlertKind.MISSING).values_list("key", flat=True))
    is_known = _knowledge(now)
    alerts = [(each, _of_sender(each)) for each in found]
    return [alert for each, alert in alerts if alert.key in told or is_known(each)]


def away(now: datetime) -> list[Alert]:
    """Amili, where it has not answered for AWAY_FOR."""
    since = _away_since(now)
    if since is None or now - since < AWAY_FOR:
        return []
    return [Alert(key=since.isoformat(), numbers={"since": since.isoformat()})]


FINDERS: Mapping[AlertKind, Callable[[datetime], list[Alert]]] = {
    AlertKind.WATCHED: watched,
    AlertKind.FAILED: failed,
    AlertKind.NEW_CAUSE: new_causes,
    AlertKind.SHARE: shares,
    AlertKind.STUCK: stuck,
    AlertKind.MISSING: missing,
    AlertKind.AWAY: away,
}


def _open(kind: AlertKind) -> QuerySet[Alert]:
    return Alert.objects.still_open().filter(kind=kind)


def _of_batch(batch_id: UUID, organization_id: UUID | None, **numbers: int | None) -> Alert:
    return Alert(key=f"{batch_id}", batch_id=batch_id, organization_id=organization_id, numbers=numbers)


def _seconds(length: timedelta | None) -> int | None:
    return int(length.total_seconds()) if length else None


def _of_sender(missing: Missing) -> Alert:
    return Alert(
        key=f"{missing.organization_id}:{missing.day}",
        organization_id=missing.organization_id,
        numbers={"day": f"{missing.day}", "by": f"{missing.by:%H:%M}"},
    )


def _knowledge(now: datetime) -> Callable[[Missing], bool]:
    """Whether we would know of what was sent in time: its list has been gone through since, and Amili answers."""
    is_away = _away_since(now) is not None
    walks = Discovery.objects.by_themselves(settings.AMILI_ORGANIZATIONS).filter(walk=Walk.NEWEST)
    known_until = dict(walks.values_list("organization_id", "complete_at"))

    def is_known(missing: Missing) -> bool:
        by = timezone.make_aware(datetime.combine(missing.day, missing.by))
        until = known_until.get(missing.organization_id, now)  # whose list we do not go through is told of by Amili
        return not is_away and until is not None and until >= by

    return is_known


def _away_since(now: datetime) -> datetime | None:
    return Connection.objects.as_it_stands().away_since(now)

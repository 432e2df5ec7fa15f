"""Finds what is so now and worth an alert: all that is recent, and of what is older that which has an alert open.

What has no alert in the list any more is over.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from batches import rhythm
from batches.fingerprint import GROUPING
from batches.models import (
    Alert,
    AlertWishes,
    Batch,
    BatchCause,
    Cause,
    CauseOrganization,
    Connection,
    Discovery,
    OutcomeDay,
    Traffic,
    Walk,
    Watch,
)
from batches.models.connection import LONGEST_PAUSE
from batches.rhythm import Missing
from batches.words import AWAY_MINUTES, FINISHED, AlertKind, Outcome, Trouble

RECENT = timedelta(hours=24)
"""By Amili's own times, so that neither a first start nor a long backfill tells of what is long past."""

LATEST = timedelta(days=7)
"""So old may be what is learnt late, as after a long weekend without workers."""

AWAY_FOR = timedelta(minutes=AWAY_MINUTES)
FEWEST_OBJECTS = 50
"""Of fewer objects no share is worth an alert: one of two that failed is half of them."""

SHUT = Q(trouble=Trouble.FORBIDDEN) | Q(trouble__in=[Trouble.NOT_THERE, Trouble.GONE, Trouble.REFUSED], pages=0)
"""A list that Amili will not show. A later page that it turns down is one that it has forgotten: the walk begins anew."""


def watched(now: datetime) -> list[Alert]:
    """Watches that come to their end: the batch is finished, or Amili is no longer asked about it."""
    is_done = Q(batch__outcome__in=FINISHED) | Q(batch__next_check_at__isnull=True)
    return [
        Alert(
            key=f"{watch.batch_id}:{watch.person_id}:{watch.at.isoformat()}",
            closed_at=now,  # there is nothing to be over
            batch=watch.batch,
            organization_id=watch.batch.organization_id,
            person_id=watch.person_id,
        )
        for watch in Watch.objects.filter(is_done).select_related("batch")
    ]


def failed(now: datetime) -> list[Alert]:
    """Batches of which nothing went through, and that nobody has called corrected or ignored."""
    unresolved = Batch.objects.unresolved().filter(outcome=Outcome.FAILED).values_list("pk", "organization_id")
    lately = unresolved.filter(ended_at__gte=now - RECENT)
    learnt_late = unresolved.filter(_learnt_late(now))
    told = unresolved.filter(pk__in=_open(AlertKind.FAILED).values("batch"))
    return [_of_batch(batch_id, organization_id) for batch_id, organization_id in {*lately, *learnt_late, *told}]


def _learnt_late(now: datetime) -> Q:
    """What nobody could ask about in time, or what Amili has corrected; not what we have only just found."""
    since = now - RECENT
    return Q(ended_at__gte=now - LATEST, changed_at__gte=since, first_seen_at__lt=since)


def new_causes(now: datetime) -> list[Alert]:
    """Causes that were never seen before.

    Not those that a new way of grouping has given another name, nor any while that may be all there is to them.
    """
    unresolved = Cause.objects.occurring().unresolved().filter(replaced_by__isnull=True, replaces__isnull=True)
    told = unresolved.filter(pk__in=_open(AlertKind.NEW_CAUSE).values("cause"))
    found = set(told.values_list("pk", flat=True))
    if not _is_regrouping():
        since = now - RECENT
        begun = unresolved.filter(~Exists(_awaited()))
        # What was first seen since was last seen since, by which there is an index.
        found.update(begun.filter(last_seen_at__gte=since, first_seen_at__gte=since).values_list("pk", flat=True))
        found.update(begun.filter(_begun_in_what_we_learnt_late(now)).values_list("pk", flat=True))
    return [Alert(key=f"{cause_id}", cause_id=cause_id) for cause_id in found]


def _awaited() -> QuerySet[CauseOrganization]:
    """Of a list that is being read from its newest end the beginning of a cause comes last, unless it is shut."""
    walks = Discovery.objects.by_themselves(settings.AMILI_ORGANIZATIONS).filter(walk=Walk.NEWEST)
    unfinished = walks.filter(complete_at__isnull=True).exclude(SHUT).values("organization_id")
    return CauseOrganization.objects.filter(cause=OuterRef("pk"), organization_id__in=unfinished)


def _begun_in_what_we_learnt_late(now: datetime) -> Q:
    """Such batches have it, and no other that was submitted before."""
    late = list(Batch.objects.unresolved().filter(_learnt_late(now)).values_list("pk", flat=True))
    theirs = set(BatchCause.objects.filter(batch__in=late).values_list("cause", flat=True))
    before = BatchCause.objects.filter(cause=OuterRef("pk"), submitted_at__lt=now - RECENT).exclude(batch__in=late)
    return Q(~Exists(before), pk__in=theirs)  # few: nobody looks at what all the others had before


def _is_regrouping() -> bool:
    """Whether batches are grouped by former rules still: until the last is not, each cause looks younger than it is."""
    with_errors = Q(error_count__gt=0) | Q(failed_item_count__gt=0)
    return Batch.objects.filter(with_errors, grouping__lt=GROUPING).exists()


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
    """Batches that run too long. What is usual may change meanwhile, but takes nothing back of what runs on."""
    begun = [
        _of_batch(batch.pk, batch.organization_id, usually=_seconds(batch.usually_within))
        for batch in rhythm.stuck(now, Batch.objects.all())
    ]
    told = Batch.objects.running().filter(pk__in=_open(AlertKind.STUCK).values("batch"))
    return begun + [_of_batch(*batch) for batch in told.values_list("pk", "organization_id")]


def missing(now: datetime) -> list[Alert]:
    """Organisations that have not sent what they usually send by this time; new ones only where we would know of it."""
    found = rhythm.missing(timezone.localdate(now), now)
    if not found:
        return []
    told = set(_open(AlertKind.MISSING).values_list("key", flat=True))
    alerts = [(each, _of_sender(each)) for each in found]
    is_known = _knowledge(now, [each.organization_id for each, alert in alerts if alert.key not in told])
    return [alert for each, alert in alerts if alert.key in told or is_known(each)]


def away(now: datetime) -> list[Alert]:
    """Amili, where it has not answered for AWAY_FOR."""
    amili = Connection.objects.as_it_stands()
    since = amili.away_since(now)
    if since is None or now - since < AWAY_FOR:
        return []
    alert = Alert(key=since.isoformat(), numbers={"since": since.isoformat()})
    # Where nobody has asked for long, as before a start, it may be over: the next question tells.
    is_so_still = Traffic.objects.filter(minute__gte=now - LONGEST_PAUSE, failures__gt=0)
    if not amili.opened_at:  # too few were asked about to tell Amili's silence from one batch that cannot be read
        is_so_still = is_so_still.exclude(kind=Traffic.Kind.BATCH, trouble=Trouble.NOT_UNDERSTOOD)
    return [alert] if _open(AlertKind.AWAY).filter(key=alert.key).exists() or is_so_still.exists() else []


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


def _knowledge(now: datetime, organization_ids: Collection[UUID]) -> Callable[[Missing], bool]:
    """Whether we would know of what was sent in time: all that its list names has been read since, and Amili answers."""
    is_away = Connection.objects.as_it_stands().away_since(now) is not None
    walks = Discovery.objects.by_themselves(settings.AMILI_ORGANIZATIONS).filter(walk=Walk.NEWEST)
    known_until = dict(walks.values_list("organization_id", "complete_at"))
    unread = _unread(now, organization_ids) if organization_ids else set()

    def is_known(missing: Missing) -> bool:
        by = timezone.make_aware(datetime.combine(missing.day, missing.by))
        until = known_until.get(missing.organization_id, now)  # whose list we do not go through is told of by Amili
        is_read = unread.isdisjoint({missing.organization_id, None})
        return not is_away and is_read and until is not None and until >= by

    return is_known


def _unread(now: datetime, organization_ids: Collection[UUID]) -> set[UUID | None]:
    """Those of these organisations whose list names batches of today that nobody has asked about; None for anybody's."""
    theirs = Q(organization_id__in=organization_ids) | Q(organization_id__isnull=True)
    listed = Batch.objects.submitted_on(timezone.localdate(now)).filter(theirs, listed_at__isnull=False)
    return set(listed.filter(checked_at__isnull=True).values_list("organization_id", flat=True))

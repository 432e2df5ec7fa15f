"""The connection page: how we stand with Amili, for those who must know why the facts are as old as they are."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from batches import broker
from batches.models import Batch, Connection, Delivery, Discovery, Traffic, Walk, Worker
from batches.models.claims import unclaimed
from batches.models.connection import FAILURES_TO_OPEN
from batches.models.traffic import PULSE_LASTS
from batches.pace import WATCH_LASTS
from batches.views.live import nothing_new, stamp_of_text
from batches.views.standing import Standing, standing
from batches.words import Trouble
from staff.http import StaffRequest
from staff.models import Person, Role

MINUTES = 60
DELIVERIES = 8
WORKERS = 10


def may_see_connection(request: HttpRequest) -> bool:
    """Whether whoever asks looks after the connection."""
    person = request.user
    return isinstance(person, Person) and (person.is_superuser or person.role in {Role.SUPPORT, Role.MANAGER})


@require_safe
def connection(request: StaffRequest) -> HttpResponse:
    """The page, or for htmx its live part. It holds no ages, only times, so that it is the same while nothing happens."""
    if not may_see_connection(request):
        raise PermissionDenied
    context: dict[str, Any] = {"standing": standing()}
    context["body"] = render_to_string("batches/connection.html#body", context | _figures(context["standing"]), request)
    shown = context["body"] + context["standing"].stamp
    context["stamp"] = stamp_of_text(shown)
    if nothing_new(request, context["stamp"]):
        return HttpResponse(status=204)
    return render(request, "batches/connection.html#live" if request.htmx else "batches/connection.html", context)


def _figures(now_stands: Standing) -> dict[str, Any]:
    now = timezone.now()
    kinds = _kinds(Traffic.objects.last_successes(), Traffic.objects.last_failures())
    minutes = _minutes(now)
    return {
        "now": now,
        "kinds": kinds,
        "sign_in": _sign_in(now_stands.connection, kinds, now),
        "minutes": minutes,
        "most": max(minute.requests for minute in minutes),
        "limit": settings.AMILI_REQUESTS_PER_SECOND * 60,
        "failures_to_open": FAILURES_TO_OPEN,
        "backlog": _backlog(now),
        "waiting": broker.waiting(),
        "workers": Worker.objects.order_by("-seen_at", "name")[:WORKERS],
        "here_since": now - PULSE_LASTS,
        "lists": _lists(),
        "has_webhook": bool(settings.AMILI_WEBHOOK_SECRETS),
        "deliveries": Delivery.objects.newest_first()[:DELIVERIES] if settings.AMILI_WEBHOOK_SECRETS else [],
    }


# ------------------------------------------------------------------------------------------ what was asked


class KindOfRequest(NamedTuple):
    """The minutes in which one kind of request last succeeded and last failed."""

    kind: Traffic.Kind
    success: Traffic | None
    failure: Traffic | None

    @property
    def is_refused(self) -> bool:
        """Whether the last word was that our credentials are no good."""
        if self.failure is None or self.failure.trouble != Trouble.KEYS_REFUSED:
            return False
        return self.success is None or _at(self.success.succeeded_at) < _at(self.failure.failed_at)


def _at(time: datetime | None) -> datetime:
    return time or datetime.min.replace(tzinfo=UTC)


def _kinds(successes: Iterable[Traffic], failures: Iterable[Traffic]) -> list[KindOfRequest]:
    good, bad = ({minute.kind: minute for minute in minutes} for minutes in (successes, failures))
    return [KindOfRequest(kind, good.get(kind), bad.get(kind)) for kind in Traffic.Kind]


class Minute(NamedTuple):
    """One bar of the chart: its numbers, its place, and its heights in percent of the highest (about a pixel each)."""

    at: datetime
    requests: int
    failures: int
    x: int
    height: int
    failed_height: int

    @property
    def top(self) -> int:
        """Where the bar begins, as SVG counts: from above."""
        return 100 - self.height


def _minutes(now: datetime) -> list[Minute]:
    """The last hour, the minute under way at its end."""
    start = now.replace(second=0, microsecond=0) - timedelta(minutes=MINUTES - 1)
    counted = Traffic.objects.since(start).by_minute()
    most = max((requests for requests, _ in counted.values()), default=0) or 1
    return [_minute(start + timedelta(minutes=n), n, counted, most) for n in range(MINUTES)]


def _minute(at: datetime, place: int, counted: Mapping[datetime, tuple[int, int]], most: int) -> Minute:
    requests, failures = counted.get(at, (0, 0))
    height = max(100 * requests // most, 2) if requests else 0
    return Minute(at, requests, failures, place * 10, height, _part(height, failures, requests))


def _part(height: int, failures: int, requests: int) -> int:
    """The share of a bar that failed. A single failure among thousands is still seen, and so is a single success."""
    if failures in (0, requests):
        return height if failures else 0
    return min(max(height * failures // requests, 1), height - 1)


# ------------------------------------------------------------------------------------------ how we are known to Amili


class SignIn(NamedTuple):
    """Our token: never itself, only what is known of it."""

    is_ready_made: bool
    ends_at: datetime | None
    is_over: bool
    refusal: Traffic | None
    refused_since: datetime | None


def _sign_in(connection: Connection, kinds: Iterable[KindOfRequest], now: datetime) -> SignIn:
    refusals = [each.failure for each in kinds if each.is_refused and each.failure]
    refusal = max(refusals, key=lambda minute: _at(minute.failed_at), default=None)
    ends_at = _end_of(settings.AMILI_TOKEN) if settings.AMILI_TOKEN else connection.token_ends_at
    return SignIn(
        is_ready_made=bool(settings.AMILI_TOKEN),
        ends_at=ends_at,
        is_over=ends_at is not None and ends_at <= now,
        refusal=refusal,
        refused_since=(connection.failing_since or refusal.failed_at) if refusal else None,
    )


def _end_of(token: str) -> datetime | None:
    """When a ready-made token ends, if it is one of those that say so (a JWT with `exp`)."""
    try:
        claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


# ------------------------------------------------------------------------------------------ how far behind we are


def _backlog(now: datetime) -> dict[str, Any]:
    """Of the batches that we still ask about: how many are due, under way and watched, and the one that waits longest."""
    due = Q(next_check_at__lte=now) & unclaimed(now)
    found = Batch.objects.filter(next_check_at__isnull=False).aggregate(
        followed=Count("pk"),
        due=Count("pk", filter=due),
        oldest=Min("next_check_at", filter=due),
        asking=Count("pk", filter=Q(claimed_until__gt=now)),
        watched=Count("pk", filter=Q(watched_at__gt=now - WATCH_LASTS)),
    )
    return {**found, "late": now - found["oldest"] if found["oldest"] else None}


# ------------------------------------------------------------------------------------------ what is found by itself


class Lists(NamedTuple):
    """One organisation, and the walks through its list."""

    organization_id: UUID
    newest: Discovery | None
    sweep: Discovery | None
    backfill: Discovery | None


def _lists() -> list[Lists]:
    """Each organisation once. A backfill is only told of until it has come to its end: nothing starts it again."""
    is_over = Q(walk=Walk.BACKFILL, started_at__isnull=True, complete_at__isnull=False)
    walks = Discovery.objects.exclude(is_over).order_by("organization_id")
    return [
        Lists(organization_id, *map({each.walk: each for each in ours}.get, (Walk.NEWEST, Walk.SWEEP, Walk.BACKFILL)))
        for organization_id, ours in groupby(walks, attrgetter("organization_id"))
    ]

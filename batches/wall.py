"""Links to the wall view: made, used and revoked. Who has one sees the wall as its maker may see it, and nothing else."""

import secrets
from datetime import datetime
from hashlib import sha256

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from batches.models import WallLink
from staff.models import Person

MOST_LINKS = 50  # that are good at a time
MOST_REVOKED = 20  # that are told of


def good_links() -> QuerySet[WallLink]:
    """Those that show something: a link ends with the account of its maker, as every sign-in does."""
    return WallLink.objects.filter(revoked_at__isnull=True, made_by__is_active=True)


def told_links() -> QuerySet[WallLink]:
    """Those that are not revoked, the newest first, and then those that were revoked lately."""
    links = WallLink.objects.select_related("made_by", "revoked_by")
    return links.order_by(F("revoked_at").desc(nulls_first=True), "-made_at")[: MOST_LINKS + MOST_REVOKED]


def make(name: str, person: Person) -> str:
    """The secret part of a new link. Only whoever gets it from here has it."""
    token = secrets.token_urlsafe(32)
    WallLink.objects.create(name=name, digest=_digest(token), made_by=person, made_at=timezone.now())
    return token


def find(token: str) -> WallLink | None:
    """The good link with this secret: one read by an index, whatever somebody has guessed."""
    return good_links().select_related("made_by").filter(digest=_digest(token)).first()


def note_use(link: WallLink, now: datetime) -> None:
    """A screen asks every few seconds: only the first time in a minute is written down."""
    minute = now.replace(second=0, microsecond=0)
    if link.seen_at is None or link.seen_at < minute:
        unseen = Q(seen_at__isnull=True) | Q(seen_at__lt=minute)
        WallLink.objects.filter(unseen, pk=link.pk).update(seen_at=now)


def revoke(link_id: int, person: Person) -> None:
    """Who was first stays named."""
    WallLink.objects.filter(pk=link_id, revoked_at__isnull=True).update(revoked_at=timezone.now(), revoked_by=person)


def _digest(token: str) -> bytes:
    """Of 256 random bits: no salt and no slow hash could make them harder to guess."""
    return sha256(token.encode()).digest()

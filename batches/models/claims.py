"""Claims: the right to do something alone, which ends by itself with its lease."""

from datetime import datetime

from django.db.models import Q


def unclaimed(now: datetime) -> Q:
    """What nobody has claimed, or whose claim has run out because who held it is gone."""
    return Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)

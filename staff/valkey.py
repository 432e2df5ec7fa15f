"""Valkey as a page may use it: for half a second at most, and for some seconds not at all after it failed.

Nothing stands in it alone that must not be lost: sessions and wishes are in the database too.
"""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

LEFT_ALONE = 5.0
"""Seconds for which nobody in this process tries again, so that only one page in a while waits for one that hangs."""

logger = logging.getLogger(__name__)

_away_until: dict[str, float] = {}  # by its address, on the clock of time.monotonic


def told[Said](deed: Callable[[], Said], *, insist: bool = False) -> Said | None:
    """What it says, or None while it is away. Who insists tries even one that has just failed."""
    url = settings.REDIS_URL
    if not insist and time.monotonic() < _away_until.get(url, 0):
        return None
    try:
        return deed()
    except (RedisError, KombuError, OSError) as problem:
        _away_until[url] = time.monotonic() + LEFT_ALONE
        logger.warning("Valkey does not answer (%s)", type(problem).__name__)
        return None

"""What the head of an answer says, of which nothing is taken on trust."""

import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 3600.0
LONGEST_ID = 100

_UNPRINTABLE = re.compile(r"[^ -~]")
_SECONDS = re.compile(r"-?[0-9]+")


def request_id(headers: Mapping[str, str]) -> str:
    """Amili's name for this exchange, empty where it gives none."""
    told = headers.get("X-Amili-Request-Id") or headers.get("X-Request-Id") or ""
    return _UNPRINTABLE.sub("", told).strip()[:LONGEST_ID]


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """For how many seconds we are asked to wait, an hour at most; None where that is not said or not understood."""
    told = headers.get("Retry-After", "").strip()
    try:
        wait = int(told) if _SECONDS.fullmatch(told) else _time_of(told) - (time.time() if now is None else now)
    except (ValueError, OverflowError):
        return None
    return min(max(float(wait), 0.0), LONGEST_WAIT)


def _time_of(date: str) -> float:
    moment = parsedate_to_datetime(date)
    # HTTP dates are in UTC, also those that do not say so.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

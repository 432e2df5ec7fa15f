"""How often we ask Amili about a batch: pure functions of its age, of who is looking, and of what went wrong."""

from datetime import datetime, timedelta

from batches.meanings import AGAIN
from batches.words import Trouble

LEASE = timedelta(seconds=45)
"""For how long one asker has a batch for itself: longer than a task may run (CELERY_TASK_TIME_LIMIT)."""

WATCHED = timedelta(seconds=1.5)  # the next tick after it makes two seconds
WATCH_RENEWAL = timedelta(seconds=10)
WATCH_LASTS = timedelta(seconds=25)
"""An open page counts as watched for this long after its last renewal."""

LOOK_FOR = timedelta(hours=1)
"""A batch that Amili does not know is looked for this long: it may be seconds old."""

LATE_CHECK = timedelta(hours=1)
"""How long after the last change a finished batch is asked about once more: what is said of it may be corrected."""

SLOW = timedelta(minutes=15)
"""No batch that runs for less than this is called stuck, however quick its organisation's usually are."""

_BY_AGE = [  # (until this age, ask this often)
    (timedelta(minutes=2), timedelta(seconds=5)),
    (timedelta(minutes=10), timedelta(seconds=15)),
    (timedelta(hours=1), timedelta(minutes=1)),
    (timedelta(days=1), timedelta(minutes=5)),
    (timedelta(days=7), timedelta(hours=1)),
    (timedelta(days=60), timedelta(hours=12)),
]


def pace(age: timedelta, *, watched: bool) -> timedelta | None:
    """Time until the next question about an unfinished batch of this age; None when we no longer ask by ourselves."""
    by_age = next((step for until, step in _BY_AGE if age < until), None)
    return WATCHED if watched and by_age else by_age


def is_watched(watched_at: datetime | None, now: datetime) -> bool:
    """Whether somebody had the page open a moment ago."""
    return watched_at is not None and now - watched_at < WATCH_LASTS


def after(trouble: Trouble, step: timedelta | None, wait: timedelta) -> timedelta | None:
    """Time until the next question when the last one went wrong: the pace, but never before Amili wants it (`wait`)."""
    least = AGAIN[trouble]
    return None if step is None or least is None else max(step, least, wait)

"""Knows the queue between pages and workers: whether it is there, how much waits in it, how to put something into it.

No page waits long for it, for the database says what is to be done, and a worker that is back finds it there.
"""

import math
import time
from functools import cache, partial

from celery import Task, current_app
from django.conf import settings
from redis import Redis

from staff.valkey import told

PATIENCE = 0.3  # seconds for a look
REMEMBERED = 3.0
"""Seconds for which one look at the queue serves all pages of this process."""

_looks: dict[str, tuple[float, int | None]] = {}  # by the queue's address: when, and what was seen


def waiting() -> int | None:
    """How many messages wait in the queue. None: it is away."""
    url = settings.REDIS_URL
    at, number = _looks.get(url, (-math.inf, None))
    if time.monotonic() - at > REMEMBERED:
        number = told(partial(_count, url))
        _looks[url] = (time.monotonic(), number)
    return number


def put(task: Task, *arguments: object, expires: float) -> bool:  # type: ignore[type-arg]
    """Put a task into the queue. False where the queue is away, or was a moment ago."""
    if waiting() is None:
        return False
    return told(partial(task.apply_async, arguments, expires=expires)) is not None


def _count(url: str) -> int:
    return int(_client(url).llen(current_app.conf.task_default_queue))


@cache
def _client(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=None)

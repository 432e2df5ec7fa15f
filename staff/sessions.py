"""Where sessions live: in the cache, for speed, and in the database, which serves alone while the cache is away."""

from typing import Any

from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from redis.exceptions import RedisError


class SessionStore(CachedStore):
    """Django's own reads a session from the database when the cache has none, but fails when it cannot write it back."""

    def load(self) -> dict[str, Any]:
        try:
            return super().load()
        except RedisError:
            return DatabaseStore.load(self)

"""Where sessions live: in the cache, for speed, and in the database, which serves alone while the cache is away."""

import logging
from typing import Any

from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class SessionStore(CachedStore):
    """Django's own stands an absent cache when it saves; this one also when it looks, reads and deletes."""

    def load(self) -> dict[str, Any]:
        try:
            return super().load()
        except RedisError:
            return DatabaseStore.load(self)

    def exists(self, session_key: str) -> bool:
        try:
            return super().exists(session_key)
        except RedisError:
            return DatabaseStore.exists(self, session_key)

    def delete(self, session_key: str | None = None) -> None:
        DatabaseStore.delete(self, session_key)
        try:
            super().delete(session_key)
        except RedisError:
            logger.warning("the cache is away: a session was ended in the database alone")

"""The copies of sessions that save each request a query. The sessions themselves stand in the database."""

from functools import partial
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache

from staff.valkey import told

COPY_LASTS = 300
"""Seconds. A sign-out that could not reach Valkey must not be undone for long when Valkey is back with its old data."""


class SessionCache(RedisCache):
    """A cache that is empty while Valkey is away. Whoever signs out is deleted from it even if it has just failed."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        found = told(partial(super().get, key, default, version))
        return default if found is None else found

    def set(self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        told(partial(super().set, key, value, timeout, version))

    def has_key(self, key: str, version: int | None = None) -> bool:
        return bool(told(partial(super().has_key, key, version)))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(told(partial(super().delete, key, version), insist=True))

    def get_backend_timeout(self, timeout: float | None = DEFAULT_TIMEOUT) -> int:
        lasts = super().get_backend_timeout(timeout)
        return COPY_LASTS if lasts is None else min(int(lasts), COPY_LASTS)

"""One secret value that all processes share: in Valkey, and encrypted there.

Valkey may be away, slow or emptied at any time, and nothing is lost then but time: whoever looks finds nothing.
"""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Protocol

import redis
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE = 0.5  # seconds for each word with Valkey
LEFT_ALONE = 5.0  # seconds after it failed, so that not every question to Amili waits for it

_DELETE_IF = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class Store(Protocol):
    """A place for one value, from which it may vanish at any time."""

    def load(self) -> bytes | None:
        """The value; None where there is none or it cannot be had."""

    def save(self, value: bytes, seconds: float) -> None:
        """Keep the value for so long, in place of any other."""

    def drop(self, expected: bytes | None = None) -> None:
        """Forget the value; with `expected`, only if it is still this one."""


class Nowhere:
    """A store that keeps nothing."""

    def load(self) -> bytes | None:
        """Nothing."""
        return None

    def save(self, value: bytes, seconds: float) -> None:
        """Not."""

    def drop(self, expected: bytes | None = None) -> None:
        """There is nothing to forget."""


class Vault:
    """A value under `name`, encrypted with the first of the keys and read with any of them. Never raises."""

    def __init__(self, url: str, keys: Sequence[str], name: str) -> None:
        self._valkey = redis.Redis.from_url(
            url, protocol=2, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        self._crypt = MultiFernet([_fernet(key) for key in keys])
        self._name = name
        self._away_until = 0.0

    def load(self) -> bytes | None:
        """The value; None where there is none, or nobody who has our keys has saved it."""
        return self._opened(self._found())

    def save(self, value: bytes, seconds: float) -> None:
        """Keep the value for so long, in place of any other."""
        if seconds > 0:
            sealed = self._crypt.encrypt(value)
            self._told(lambda: self._valkey.set(self._name, sealed, px=max(int(seconds * 1000), 1)))

    def drop(self, expected: bytes | None = None) -> None:
        """Forget the value; with `expected`, only if it is still this one, whoever else writes at this moment."""
        if expected is None:
            self._told(lambda: self._valkey.delete(self._name))
        elif (sealed := self._found()) is not None and self._opened(sealed) == expected:
            self._told(lambda: self._valkey.eval(_DELETE_IF, 1, self._name, sealed))

    def _found(self) -> bytes | None:
        found = self._told(lambda: self._valkey.get(self._name))
        return found if isinstance(found, bytes) else None

    def _opened(self, sealed: bytes | None) -> bytes | None:
        try:
            return None if sealed is None else self._crypt.decrypt(sealed)
        except InvalidToken:
            return None

    def _told[T](self, deed: Callable[[], T]) -> T | None:
        """What Valkey says; None where it says nothing of use, which is as good as an empty vault."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return deed()
        except (redis.ConnectionError, redis.TimeoutError, OSError, ValueError):  # or something that is no Valkey
            self._away_until = time.monotonic() + LEFT_ALONE
        except redis.RedisError:  # such as a value of another kind under our name
            return None
        return None


def _fernet(key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"batches.amili.vault").derive(key.encode())
    return Fernet(urlsafe_b64encode(derived))

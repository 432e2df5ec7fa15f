"""A drawer in Valkey whose key lies elsewhere: what is in it is encrypted with a secret that is stored nowhere here.

Valkey may write all that it is told to a disk, and SECRET_KEY may lie beside that. So neither opens anything alone.
"""

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from redis import Redis

from staff.valkey import told

_PATIENCE = 0.5  # seconds for each word with Valkey
_PART = 2**20  # bytes sent with one word
_NONCE = 12
_COUNT = 4  # bytes before a value: of how many parts it is


class AwayError(Exception):
    """Valkey does not answer: nothing can be kept, and nothing found."""


class GoneError(Exception):
    """It is no longer there: its time is over, or it was replaced or forgotten, or the secret is not the right one."""


class Safe:
    """The hash at `key`, opened with `secret`. A value lies in it in parts, each of which Valkey takes at once."""

    def __init__(self, key: str, secret: str) -> None:
        self._key = key
        derived = HKDF(algorithm=SHA256(), length=32, salt=secret.encode(), info=b"batches.submission.safe")
        self._cipher = AESGCM(derived.derive(settings.SECRET_KEY.encode()))

    def put(self, values: Iterable[tuple[str, bytes]], until: float) -> None:
        """With an end from the first part on, whatever becomes of us before the last."""
        waiting, size = dict[str, bytes](), 0
        for name, part in self._parts(values):
            waiting[name] = part
            size += len(part)
            if size >= _PART:
                self._send(waiting, until)
                waiting, size = {}, 0
        if waiting:
            self._send(waiting, until)

    def get(self, name: str) -> bytes | None:
        """None if there is no such value."""
        first = self._part(f"{name}/0")
        if first is None:
            return None
        parts = [first[_COUNT:]]
        for n in range(1, int.from_bytes(first[:_COUNT])):
            part = self._part(f"{name}/{n}")
            if part is None:
                raise GoneError
            parts.append(part)
        return zlib.decompress(b"".join(parts))

    def _parts(self, values: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        for name, value in values:
            packed = zlib.compress(value, 1)
            starts = range(0, len(packed), _PART)
            for n, start in enumerate(starts):
                count = b"" if n else len(starts).to_bytes(_COUNT)
                yield f"{name}/{n}", self._sealed(f"{name}/{n}", count + packed[start : start + _PART])

    def _send(self, parts: dict[str, bytes], until: float) -> None:
        def send(valkey: Redis) -> object:
            pipeline = valkey.pipeline()
            pipeline.hset(self._key, mapping=parts)  # type: ignore[arg-type]
            pipeline.expireat(self._key, int(until), nx=True)  # one that was put off stays so
            return pipeline.execute()

        said(send)

    def _part(self, name: str) -> bytes | None:
        sealed = said(lambda valkey: valkey.hget(self._key, name))
        return None if sealed is None else self._opened(name, sealed)

    def _sealed(self, name: str, value: bytes) -> bytes:
        """Bound to where it lies: moved elsewhere, it cannot be opened."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, value, f"{self._key}/{name}".encode())

    def _opened(self, name: str, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], f"{self._key}/{name}".encode())
        except InvalidTag:
            raise GoneError from None


def said(deed: Callable[[Redis], Any], *, insist: bool = False) -> Any:
    """What Valkey says; raises AwayError. Who insists asks even one that has just failed."""
    answer = told(lambda: (deed(_valkey(settings.REDIS_URL)),), insist=insist)
    if answer is None:
        raise AwayError
    return answer[0]


@cache
def _valkey(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=None)

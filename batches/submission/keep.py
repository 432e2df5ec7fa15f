"""Keeps a submitted file for a visit: in Valkey, encrypted there, for half an hour. Nothing of it is stored elsewhere.

A file lies there in pieces, so that a page of rows fetches and opens only those that it needs. What is found out about it
lies beside them, and goes with them.
"""

import os
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from itertools import batched, groupby
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils import timezone
from msgspec import Struct
from redis import Redis

from batches.submission.csv_file import CsvFile
from batches.submission.json_file import JsonFile
from batches.submission.submitted import Record, Submitted
from batches.submission.workbook import Workbook
from staff.valkey import told

LASTS = 30 * 60  # seconds
PIECE = 500  # objects
_PATIENCE = 0.5  # seconds for each word with Valkey
_AT_ONCE = 2**20  # bytes sent with one word
_NONCE = 12


class AwayError(Exception):
    """Valkey does not answer: nothing can be kept, and nothing found."""


class GoneError(Exception):
    """A piece is no longer there: the half hour is over, or the file was replaced or forgotten meanwhile."""


class Kept(Struct, frozen=True, dict=True):
    """A file that is kept: all but its objects."""

    token: str
    person: int
    batch: UUID
    name: str
    until: float
    count: int
    frame: JsonFile | CsvFile | Workbook

    @property
    def _key(self) -> str:
        return f"amili:submission:{self.token}"

    @cached_property
    def names(self) -> tuple[list[str], list[str]]:
        """The invoice number and the invoice ID of each object."""
        return msgspec.msgpack.decode(self._opened("names"), type=tuple[list[str], list[str]])

    def records(self, places: Iterable[int]) -> Iterator[tuple[int, Record]]:
        """These objects, in the order asked for; neighbours cost one fetch."""
        for piece, some in groupby(places, key=lambda place: place // PIECE):
            records = msgspec.msgpack.decode(self._opened(str(piece)), type=list[Record])
            yield from ((place, records[place % PIECE]) for place in some)

    def derived[T: Struct](self, name: str, kind: type[T], make: Callable[[], T]) -> T:
        """What was found out before, else what is found out now, kept with the file."""
        sealed = _said(lambda valkey: valkey.hget(self._key, name))
        if sealed is not None:
            return msgspec.msgpack.decode(_open(self._key, name, sealed), type=kind)
        made = make()
        _put(self._key, [(name, msgspec.msgpack.encode(made))], self.until)
        return made

    def _opened(self, name: str) -> bytes:
        sealed = _said(lambda valkey: valkey.hget(self._key, name))
        if sealed is None:
            raise GoneError
        return _open(self._key, name, sealed)


def keep(person: int, batch: UUID, name: str, submitted: Submitted) -> Kept:
    """In place of the one that this person had for this batch."""
    until = timezone.now().timestamp() + LASTS
    kept = Kept(secrets.token_hex(16), person, batch, name, until, len(submitted.records), submitted.frame)  # type: ignore[arg-type]
    _put(kept._key, _pieces(submitted), until)
    before = found(person, batch)
    place = _place(person, batch)
    sealed = _sealed(place, "", msgspec.msgpack.encode(kept))
    _said(lambda valkey: valkey.set(place, sealed, exat=int(until)))
    if before:
        _said(lambda valkey: valkey.delete(before._key))
    return kept


def found(person: int, batch: UUID) -> Kept | None:
    """What this person has for this batch."""
    place = _place(person, batch)
    sealed = _said(lambda valkey: valkey.get(place))
    try:
        return msgspec.msgpack.decode(_open(place, "", sealed), type=Kept) if sealed else None
    except GoneError:
        return None


def forget(person: int, batch: UUID) -> None:
    """At once."""
    kept = found(person, batch)
    _said(lambda valkey: valkey.delete(_place(person, batch), *([kept._key] if kept else [])))


def _pieces(submitted: Submitted) -> Iterator[tuple[str, bytes]]:
    yield "names", msgspec.msgpack.encode((submitted.numbers, submitted.ids))
    for n, some in enumerate(batched(submitted.records, PIECE, strict=False)):
        yield str(n), msgspec.msgpack.encode(some)


def _put(key: str, pieces: Iterable[tuple[str, bytes]], until: float) -> None:
    """With an end from the first piece on, whatever becomes of us before the last."""
    waiting, size = dict[str, bytes](), 0
    for name, piece in pieces:
        waiting[name] = _sealed(key, name, piece)
        size += len(waiting[name])
        if size > _AT_ONCE:
            _send(key, waiting, until)
            waiting, size = {}, 0
    if waiting:
        _send(key, waiting, until)


def _send(key: str, pieces: dict[str, bytes], until: float) -> None:
    def send(valkey: Redis) -> object:
        pipeline = valkey.pipeline()
        pipeline.hset(key, mapping=pieces)  # type: ignore[arg-type]
        pipeline.expireat(key, int(until))
        return pipeline.execute()

    _said(send)


def _place(person: int, batch: UUID) -> str:
    return f"amili:submission:{person}:{batch}"


def _said(deed: Callable[[Redis], Any]) -> Any:
    said = told(lambda: (deed(_valkey(settings.REDIS_URL)),))
    if said is None:
        raise AwayError
    return said[0]


@cache
def _valkey(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=None)


# ------------------------------------------------------------------------------------------ secrecy


def _sealed(key: str, name: str, value: bytes) -> bytes:
    """Bound to where it lies: moved elsewhere, it cannot be opened."""
    nonce = os.urandom(_NONCE)
    return nonce + _cipher(settings.SECRET_KEY).encrypt(nonce, zlib.compress(value, 1), f"{key}/{name}".encode())


def _open(key: str, name: str, sealed: bytes) -> bytes:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            opened = _cipher(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], f"{key}/{name}".encode())
        except InvalidTag:
            continue
        return zlib.decompress(opened)
    raise GoneError


@cache
def _cipher(secret: str) -> AESGCM:
    return AESGCM(
        HKDF(algorithm=SHA256(), length=32, salt=None, info=b"batches.submission.keep").derive(secret.encode())
    )

"""Keeps a submitted file for a visit: in Valkey, encrypted there, for half an hour. Nothing of it is stored elsewhere.

A person has one file at a time, and only the browser that brought it has the secret that opens it. The file lies there in
pieces, so that a page of rows fetches and opens only those that it needs. What is found out about it lies beside them, and
goes with them.
"""

import secrets
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
from django.utils import timezone
from msgspec import Struct

from batches.submission.csv_file import CsvFile
from batches.submission.json_file import JsonFile
from batches.submission.safe import AwayError, GoneError, Safe, said
from batches.submission.submitted import Record, Submitted
from batches.submission.workbook import Workbook

__all__ = ["LASTS", "PIECE", "AwayError", "GoneError", "Kept", "elsewhere", "forget", "found", "keep"]

LASTS = 30 * 60  # seconds
_DOWNLOAD = 3 * 60  # seconds that one needs, once it has begun
PIECE = 500  # objects
_PIECE_BYTES = 2**20


class Kept(Struct, frozen=True, dict=True):
    """A file that is kept: all but its objects. Its secret lies in the safe that it opens, so that it tells nobody."""

    key: str
    secret: str
    batch: UUID
    name: str
    until: float
    count: int
    starts: list[int]  # the first object of each piece
    frame: JsonFile | CsvFile | Workbook

    @cached_property
    def names(self) -> tuple[list[str], list[str]]:
        """The invoice number and the invoice ID of each object."""
        return msgspec.msgpack.decode(self._value("names"), type=tuple[list[str], list[str]])

    def records(self, places: Iterable[int]) -> Iterator[tuple[int, Record]]:
        """These objects, in the order asked for; neighbours cost one fetch."""
        for piece, some in groupby(places, key=lambda place: bisect_right(self.starts, place) - 1):
            records = msgspec.msgpack.decode(self._value(f"piece {piece}"), type=list[Record])
            yield from ((place, records[place - self.starts[piece]]) for place in some)

    def derived[T: Struct](self, name: str, kind: type[T], make: Callable[[], T]) -> T:
        """What was found out before, else what is found out now, kept with the file."""
        value = self._safe.get(name)
        if value is not None:
            return msgspec.msgpack.decode(value, type=kind)
        made = make()
        self._safe.put([(name, msgspec.msgpack.encode(made))], self.until)
        return made

    @property
    def choice(self) -> int | None:
        """The base that the person counts from, if it is not the one that was found."""
        value = self._safe.get("choice")
        return None if value is None else msgspec.msgpack.decode(value, type=int | None)

    def choose(self, base: int | None) -> None:
        """For as long as the file is kept."""
        self._safe.put([("choice", msgspec.msgpack.encode(base))], self.until)

    def last(self) -> None:
        """So that a download that begins comes to its end; with its place, where the next file and `forget` find it."""
        until, place = int(min(timezone.now().timestamp(), self.until)) + _DOWNLOAD, self.key.rpartition(":")[0]
        said(lambda valkey: [valkey.expireat(key, until, gt=True) for key in (place, self.key)])

    def _value(self, name: str) -> bytes:
        value = self._safe.get(name)
        if value is None:
            raise GoneError
        return value

    @cached_property
    def _safe(self) -> Safe:
        return Safe(self.key, self.secret)


def keep(person: int, batch: UUID, name: str, submitted: Submitted) -> Kept:
    """In place of the one that this person had, be it for another batch."""
    until = timezone.now().timestamp() + LASTS
    key, secret = f"{_place(person)}:{secrets.token_hex(16)}", secrets.token_urlsafe(32)
    # The place first: whatever becomes of us, the next file finds what there is of this one, and takes it away.
    here = f"{batch} {key}".encode()
    _replace(person, here, until)
    try:
        starts = _starts(submitted.records)
        kept = Kept(key, secret, batch, name, until, len(submitted.records), starts, submitted.frame)  # type: ignore[arg-type]
        kept._safe.put(_values(kept, submitted), until)
        if _at_place(person) != (batch, key):
            raise GoneError  # another has come meanwhile
    except Exception:
        with suppress(AwayError):
            said(lambda valkey: _give_back(valkey, person, here), insist=True)
        raise
    return kept


def found(person: int, batch: UUID, secret: str) -> Kept | None:
    """What this person has for this batch; raises GoneError if it is no longer there, or is not for this browser."""
    here = _at_place(person)
    if here is None or here[0] != batch:
        return None
    value = Safe(here[1], secret).get("kept")
    if value is None:
        raise GoneError
    return msgspec.msgpack.decode(value, type=Kept)


def elsewhere(person: int, batch: UUID) -> UUID | None:
    """The other batch for which this person has a file."""
    here = _at_place(person)
    return None if here is None or here[0] == batch else here[0]


def forget(person: int, batch: UUID) -> bool:
    """At once, if this person's file is for this batch."""
    here = _at_place(person)
    if here is None or here[0] != batch:
        return False
    said(lambda valkey: valkey.unlink(_place(person), here[1]))
    return True


def _values(kept: Kept, submitted: Submitted) -> Iterator[tuple[str, bytes]]:
    yield "names", msgspec.msgpack.encode((submitted.numbers, submitted.ids))
    for n, start in enumerate(kept.starts):
        end = kept.starts[n + 1] if n + 1 < len(kept.starts) else kept.count
        yield f"piece {n}", msgspec.msgpack.encode(submitted.records[start:end])
    yield "kept", msgspec.msgpack.encode(kept)  # at last: what is found is whole


def _starts(records: Sequence[Record]) -> list[int]:
    """Where each piece begins: of so many objects, and of not many more bytes."""
    starts, size = [0], 0
    for n, record in enumerate(records):
        if n - starts[-1] >= PIECE or size > _PIECE_BYTES:
            starts.append(n)
            size = 0
        size += len(record.body)
    return starts


def _replace(person: int, here: bytes, until: float) -> None:
    before = said(lambda valkey: valkey.set(_place(person), here, exat=int(until), get=True))
    if before:
        said(lambda valkey: valkey.unlink(_read(before)[1]))


def _give_back(valkey: Any, person: int, here: bytes) -> None:
    valkey.unlink(_read(here)[1])
    if valkey.get(_place(person)) == here:
        valkey.unlink(_place(person))


def _at_place(person: int) -> tuple[UUID, str] | None:
    here = said(lambda valkey: valkey.get(_place(person)))
    return None if here is None else _read(here)


def _read(here: bytes) -> tuple[UUID, str]:
    batch, _, key = here.decode().partition(" ")
    return UUID(batch), key


def _place(person: int) -> str:
    return f"amili:submission:{person}"
